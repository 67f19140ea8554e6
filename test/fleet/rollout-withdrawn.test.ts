/** A release is withdrawn in a ConfigMap that running pods mount, and allowed again. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { containerProblem } from '../../examples/immutable-image/test/support/podman.ts';
import { type ConfigMap, mountConfigMap } from '../support/config-map.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import {
  makeVolume,
  type PodOptions,
  runInPod,
  startPod,
  writePodProgram,
} from '../support/pods.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const problem = containerProblem === undefined ? '' : ` (skipped: ${containerProblem})`;
const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { low: '^1.0.0' }),
  ...['low', 'other', 'late'].map((name) => esmPackage(name, '1.0.0', name)),
];
const features = { kit: '^1.0.0', other: '^1.0.0', late: '^1.0.0' };
const FILE = '/etc/annex/annex.json';
const WITHDRAWN = { blocked: [{ spec: 'low@<1.0.1', reason: 'CVE-2026-1' }] };
const REASON = `low 1.0.0 is blocked by ${FILE} (low@<1.0.1): CVE-2026-1`;
const denied = { code: 'ANNEX_DENIED', message: expect.stringContaining(REASON) };

describe.runIf(containerProblem === undefined)(`a withdrawn release${problem}`, () => {
  let registry: Registry;
  let app: Sandbox;
  beforeAll(async () => {
    registry = await startRegistry(packages);
    app = await createSandbox({ registry, copyAnnex: true });
    app.setCore({ features });
    writePodProgram(app);
    await lock(app);
  });

  /** A volume with two of the features, and pods that mount the ConfigMap. */
  async function open(name: string): Promise<{ at: PodOptions; map: ConfigMap }> {
    const volume = makeVolume(app, name);
    const map = mountConfigMap(join(app.root, `${name}-map`), { 'annex.json': {} });
    const env = { npm_config_registry: registry.url, ANNEX_CONFIG: FILE };
    const options = ['--volume', `${map.dir}:/etc/annex:ro`];
    const at = { app, volume, env, options, isOnline: true };
    const installed = await runInPod(at, 'install', 'kit', 'other');
    expect(installed.code, installed.stderr).toBe(0);
    return { at, map };
  }

  test('is used on by pods that use it, denied to all others with the reason, and back when it is allowed', async () => {
    const { at, map } = await open('withdrawn');
    const [user, fresh] = await Promise.all([startPod(at), startPod(at)]);
    expect(await user.load('kit')).toEqual({ marker: 'kit' });
    expect(await fresh.load('other')).toEqual({ marker: 'other' });
    map.update({ 'annex.json': WITHDRAWN });

    expect(await user.load('kit'), 'until it ends').toEqual({ marker: 'kit' });
    expect(await user.ask('ensure', 'kit')).toMatchObject(denied);
    const late = await startPod(at);
    for (const pod of [fresh, late]) {
      expect(await pod.load('kit')).toMatchObject(denied);
      expect(await pod.load('other')).toEqual({ marker: 'other' });
    }
    for (const pod of [user, fresh]) {
      expect(await pod.ask('metrics')).toContain(
        'annex_feature_info{feature="kit",where="denied",code="ANNEX_DENIED",abi="",entry=""} 1\n',
      );
    }
    const list = await late.annex('list', '--check');
    expect(list).toMatchObject({ code: 1, stdout: expect.stringContaining(REASON) });
    expect((await late.annex('doctor')).stdout).toContain(`problem  kit: ${REASON}\n`);
    expect((await late.annex('install', '--all', '--within', '60')).code).toBe(1);
    const { stdout } = await late.annex('store', 'ls');
    expect(stdout).toMatch(/^kit .* blocked /m);

    registry.requests.length = 0;
    map.update({ 'annex.json': {} });
    expect([await fresh.load('kit'), await late.load('kit')]).toEqual([
      { marker: 'kit' },
      { marker: 'kit' },
    ]);
    expect(registry.requests).toEqual([]);
    for (const pod of [user, fresh, late]) await pod.kill();
  });

  test('stays withdrawn in running pods when the file is broken, and nothing is installed until it is mended', async () => {
    const { at, map } = await open('broken');
    const pod = await startPod(at);
    expect(await pod.load('other')).toEqual({ marker: 'other' });
    map.update({ 'annex.json': WITHDRAWN });
    expect(await pod.load('kit')).toMatchObject(denied);
    map.update({ 'annex.json': '{ "blocked": [ ' });
    expect(await pod.load('kit')).toMatchObject(denied);
    const invalid = { code: 'ANNEX_INVALID_CONFIG' };
    expect(await pod.load('late')).toMatchObject(invalid);
    const doctor = await pod.annex('doctor');
    expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining('is not valid JSON') });
    map.update({ 'annex.json': { ...WITHDRAWN, allowInstalls: false } });
    expect(await pod.load('late'), 'installers read it').toMatchObject({
      code: 'ANNEX_DENIED',
      message: expect.stringContaining(`switched off by allowInstalls in ${FILE}`),
    });
    map.update({ 'annex.json': WITHDRAWN });
    expect(await pod.load('late')).toEqual({ marker: 'late' });
    expect(await pod.load('kit')).toMatchObject(denied);
    await pod.kill();
  });
});
