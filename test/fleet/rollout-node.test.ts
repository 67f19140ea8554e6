/** Node changes in the middle of a rollout: pods with several versions of it on one store, and on one layer. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Line, lines } from '../../examples/immutable-image/test/support/bases.ts';
import { containerProblem, run } from '../../examples/immutable-image/test/support/podman.ts';
import { compileAddon } from '../support/addon.ts';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { repositoryRoot } from '../support/package.ts';
import { makeVolume, type PodOptions, startPod, writePodProgram } from '../support/pods.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const problem = containerProblem === undefined ? '' : ` (skipped: ${containerProblem})`;
const plain = { marker: 'plain' };
const bound = { marker: 'sound' };

describe.runIf(containerProblem === undefined)(`a rollout of another Node${problem}`, () => {
  let registry: Registry;
  let app: Sandbox;
  beforeAll(async () => {
    const { addon, library } = compileAddon();
    const files = {
      'index.js': "exports.marker = require('./addon.node').marker;",
      'addon.node': addon,
      'libwho.so': library,
    };
    const package_ = { ...cjsPackage('bound', '1.0.0', ''), files };
    registry = await startRegistry([esmPackage('plain', '1.0.0', 'plain'), package_]);
    app = await createSandbox({ registry, copyAnnex: true });
    app.setCore({ features: { plain: '^1.0.0', bound: '^1.0.0' } });
    writePodProgram(app);
    await lock(app);
  });

  const at = (line: Line, volume: string, more: Partial<PodOptions> = {}): PodOptions => {
    const { env, ...rest } = more;
    return { app, line, volume, env: { npm_config_registry: registry.url, ...env }, ...rest };
  };
  const countTarballs = (name: string): number =>
    registry.requests.filter((line) => line.endsWith(`/${name}-1.0.0.tgz`)).length;
  const listAbis = (store: string): string[] =>
    readdirSync(join(store, 'v1'))
      .filter((name) => /^(?:any|node)/.test(name))
      .flatMap((abi) => readdirSync(join(store, 'v1', abi)).map((entry) => `${abi}/${entry}`))
      .map((path) => path.replace(/-.*\/|\/(?=plain)/, ' ').replace(/\.[0-9a-f]{32}/, ''))
      .sort();

  test('each Node has its addon, all share plain JavaScript, and the earlier Node is back without a network', async () => {
    const volume = makeVolume(app, 'data');
    registry.requests.length = 0;
    const old = await startPod(at('20', volume, { isOnline: true }));
    expect([await old.load('plain'), await old.load('bound')]).toEqual([plain, bound]);

    const offline = await startPod(at('24', volume));
    expect(await offline.load('plain')).toEqual(plain);
    const { stdout } = await offline.annex('list');
    expect(stdout).toMatch(/^bound .* is for Node 20, and this is Node 24/m);
    expect(await offline.load('bound')).toMatchObject({ code: 'ANNEX_OFFLINE' });
    await offline.kill();

    const pods = await Promise.all(
      (['22', '24', '24'] as const).map((line) => startPod(at(line, volume, { isOnline: true }))),
    );
    const load = () => Promise.all([old, ...pods].map((pod) => pod.ask('ensure', 'bound')));
    expect(await load()).toEqual(Array(4).fill({ where: 'store' }));
    for (const pod of [old, ...pods]) {
      expect([await pod.load('plain'), await pod.load('bound')]).toEqual([plain, bound]);
      const { entries } = JSON.parse((await pod.annex('prune', '--days', '0', '--json')).stdout);
      expect(entries.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
        Array(4).fill('kept'),
      );
      await pod.kill();
    }
    expect([countTarballs('plain'), countTarballs('bound')]).toEqual([1, 3]);
    expect(listAbis(join(volume, 'annex'))).toEqual([
      'any plain.0',
      'node115 bound.0',
      'node127 bound.0',
      'node137 bound.0',
    ]);

    const back = await startPod(at('20', volume));
    expect([await back.load('plain'), await back.load('bound')]).toEqual([plain, bound]);
    expect(back.said()).toBe('');
    await back.kill();
  });

  test('a layer of the earlier Node says what to bake; one that both have baked serves both', async () => {
    const layer = join(app.root, 'layer');
    const bake = async (line: Line): Promise<void> => {
      const fetcher = join(repositoryRoot, 'scripts', 'nodes.mjs');
      const fetched = await run(process.execPath, [fetcher, lines[line].node]);
      const node = fetched.slice(fetched.indexOf('/'));
      const { code, stderr } = await app.annex(['bake', layer], { node });
      expect(code, stderr).toBe(0);
    };
    mkdirSync(layer);
    await bake('20');
    const volume = makeVolume(app, 'empty');
    const env = { ANNEX_STORE: '/data/annex:/opt/annex', ANNEX_ALLOW_INSTALLS: '0' };
    const start = (line: Line) =>
      startPod(at(line, volume, { env, options: ['--volume', `${layer}:/opt/annex:ro`] }));

    const early = await start('24');
    expect(await early.load('plain')).toEqual(plain);
    expect(await early.load('bound')).toMatchObject({
      code: 'ANNEX_DENIED',
      message: expect.stringMatching(
        /\/opt\/annex\/v1\/node115-.* is for Node 20, and this is Node 24/,
      ),
      hint: expect.stringMatching(/^bake the layer with Node 24, or /),
    });
    const doctor = await early.annex('doctor');
    expect(doctor.stdout).toMatch(/bound: .*is for Node 20, and this is Node 24/);
    await early.kill();

    await bake('24');
    for (const line of ['20', '24'] as const) {
      const pod = await start(line);
      expect([await pod.load('plain'), await pod.load('bound')]).toEqual([plain, bound]);
      expect((await pod.annex('list', '--check')).code).toBe(0);
      await pod.kill();
    }
    expect(readdirSync(volume)).toEqual([]);
  });
});
