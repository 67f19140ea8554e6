/** G1, G3 in a container: a planted copy of a core package on the volume is never loaded, and the loader is in every process of the image. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Container, createVolume, runContainer, type Volume } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem, until } from '../support/podman.ts';

const APP = 10_000;
/** Packages of the core, and planted packages with the same names. */
const NAMES = ['zod', 'annex'];

/** Every planted file records its path here when it runs. */
const CANARY = `require('node:fs').appendFileSync('/opt/data/ran', __filename + '\\n');\n`;

function write(path: string, content: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
}

/**
 * Plants a package of each name in a node_modules or similar, with a subpath that no real one has. Not in the folders
 * of HOME, in which Node itself searches for packages that the core lacks.
 */
function plant(directory: string, files = ['index.js', 'planted.js']): void {
  for (const name of NAMES) {
    const manifest = { name, version: '99.0.0', main: 'index.js' };
    write(join(directory, name, 'package.json'), JSON.stringify(manifest));
    for (const file of files) write(join(directory, name, file), CANARY);
  }
}

/** Gives everything below a directory to the application's user. */
function giveAway(directory: string): void {
  for (const path of [directory, ...readdirSync(directory, { recursive: true, encoding: 'utf8' })])
    chownSync(path === directory ? path : join(directory, path), APP, APP);
}

/** Requests each name in each way, in this process, a worker and a child; prints the results or error codes. */
const ASK = `
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { spawnSync } = require('node:child_process');
const get = async (ask) => {
  try {
    return await ask();
  } catch (error) {
    return error.code;
  }
};
(async () => {
  const found = {};
  for (const name of ${JSON.stringify(NAMES)}) {
    const planted = name + '/planted.js';
    found[name] = [
      await get(() => import(name).then(() => 'imported')),
      await get(() => require(name) && require.resolve(name).split(name)[0]),
      await get(() => import(planted)),
      await get(() => require(planted)),
    ];
  }
  const { status } = await import('/opt/app/node_modules/annex/dist/index.js');
  const answer = { loader: status().loader, found };
  if (!isMainThread) return parentPort.postMessage(answer);
  if (process.argv[2]) return console.log(JSON.stringify(answer));
  const fromWorker = await new Promise((resolve) => new Worker(__filename).once('message', resolve));
  const { stdout } = spawnSync(process.execPath, [__filename, 'child']);
  console.log(JSON.stringify([answer, fromWorker, JSON.parse(stdout)]));
})();`;

const NOT_EXPORTED = Array(2).fill('ERR_PACKAGE_PATH_NOT_EXPORTED');
const SEEN = {
  loader: 'sync',
  found: {
    zod: ['imported', '/opt/app/node_modules/', ...NOT_EXPORTED],
    annex: ['imported', '/opt/app/node_modules/', ...NOT_EXPORTED],
  },
};

/** Writes to a file how the loader is active, and for which user. */
const PROBE = `
import { status } from '/opt/app/node_modules/annex/dist/index.js';
import { writeFileSync } from 'node:fs';
const [name] = process.argv.slice(2);
writeFileSync('/opt/data/probe-' + name, JSON.stringify([status().loader, process.getuid()]));
setTimeout(() => {}, name === 'service' ? 3_600_000 : 0);`;

/** Prints the command of each Node process, and whether its environment has the preload. */
const LIST = `
for process in /proc/[0-9]*; do
  [ "$(readlink $process/exe)" = /usr/local/bin/node ] || continue
  grep -qz '^NODE_OPTIONS=--import=/opt/app/node_modules/annex/loader.mjs' $process/environ && printf 'with '
  tr '\\0' ' ' <$process/cmdline
  echo
done`;

describe.skipIf(containerProblem)(
  `planted packages${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    let volume: Volume;
    let container: Container;
    const at = (path: string): string => join(volume.path, path);

    beforeAll(async () => {
      volume = createVolume();
      plant(at('node_modules'));
      for (const place of ['.node_modules', '.node_libraries']) plant(at(place), ['index.js']);
      for (const place of ['.', 'v1', 'v1/any']) plant(at(join('annex', place, 'node_modules')));
      write(at('probe.mjs'), PROBE);
      write(at('ask.cjs'), ASK);
      write(at('hook'), '#!/bin/sh\nexec node /opt/data/probe.mjs hook\n');
      chmodSync(at('hook'), 0o755);
      giveAway(volume.path);
      registry = await startImageRegistry();
      container = await runContainer({
        image: inject('image'),
        volume: volume.path,
        network: registry.network,
        env: { ...registry.env, DASHBOARD: '1' },
        options: [
          ...['-v', `${at('hook')}:/etc/boot.d/99-probe:ro`],
          ...['-v', `${at('ask.cjs')}:/opt/app/ask.cjs:ro`],
        ],
      });
      await container.ready();
    });
    afterAll(async () => {
      await container?.remove();
      await registry?.close();
      volume?.remove();
    });

    const search = (): Promise<unknown> => container.request('/search?q=otters&with=search.exa');
    const OTTERS = { status: 200, body: { results: ['exa: otters'] } };

    /** Runs the requests in the gateway and through `exec`, as the application's user and as root. */
    async function expectCore(): Promise<void> {
      expect(await search()).toMatchObject(OTTERS);
      expect((await container.exec(['agent', 'search', 'otters'])).stdout).toBe('exa: otters\n');
      for (const user of ['app', 'root']) {
        const asked = await container.exec(['node', '/opt/app/ask.cjs'], { user });
        expect(asked.stderr).toBe('');
        expect(JSON.parse(asked.stdout), user).toEqual([SEEN, SEEN, SEEN]);
      }
      expect(existsSync(at('ran'))).toBe(false);
    }

    test('planted packages in and above the store and in HOME are not loaded: by import, require, worker, child, gateway or exec', async () => {
      await expectCore();
    });

    test('planted packages in an entry are not loaded: shared names come from the core, and the entry is replaced', async () => {
      const entries = at('annex/v1/any');
      const [entry = ''] = readdirSync(entries).filter((name) => name.startsWith('search.exa.'));
      const modules = join(entries, entry, 'node_modules');
      chmodSync(modules, 0o755);
      // Shared packages are links in the entry, for threads without hooks.
      for (const name of NAMES) rmSync(join(modules, name), { force: true });
      plant(modules);
      giveAway(modules);
      await container.stop();
      await container.start();
      await container.ready();
      await expectCore();
      expect(await container.logs()).toContain('is damaged');
    });

    test('control: a file on the volume that requests the planted packages loads them', async () => {
      await container.exec(['node', '-e', 'require("/opt/data/node_modules/zod")']);
      expect(readFileSync(at('ran'), 'utf8')).toBe('/opt/data/node_modules/zod/index.js\n');
    });

    test('NODE_OPTIONS reaches boot hooks, the gateway, the dashboard and services registered later', async () => {
      const added = ['agent', 'worker', 'add', 'probe', 'node', '/opt/data/probe.mjs', 'service'];
      expect(await container.exec(added)).toMatchObject({ code: 0 });
      const read = (name: string): unknown => JSON.parse(readFileSync(at(`probe-${name}`), 'utf8'));
      expect(await until('the service runs', () => read('service'))).toEqual(['sync', APP]);
      expect(read('hook')).toEqual(['sync', 0]);
      const { stdout } = await container.exec(['sh', '-c', LIST], { user: 'app' });
      expect(stdout.split(' \n').sort()).toEqual([
        '',
        'with node /opt/app/bin/agent.mjs dashboard',
        'with node /opt/app/bin/agent.mjs gateway',
        'with node /opt/data/probe.mjs service',
      ]);
    });
  },
);
