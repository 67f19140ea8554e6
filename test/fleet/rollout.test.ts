/** Two versions of an application, with different locks, on one store: a canary, its loss, a prune, and the rollback. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { containerProblem } from '../../examples/immutable-image/test/support/podman.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { listEntries, listStaging, lock } from '../support/lock-files.ts';
import {
  makeVolume,
  type PodOptions,
  runInPod,
  startPod,
  writePodProgram,
} from '../support/pods.ts';
import { makeGate, type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const problem = containerProblem === undefined ? '' : ` (skipped: ${containerProblem})`;
const kit = (version: string) =>
  dependentPackage('kit', version, `kit ${version}`, { common: '^1.0.0' });
const packages = [
  kit('1.0.0'),
  esmPackage('common', '1.0.0', ''),
  esmPackage('old', '1.0.0', 'old'),
];

describe.runIf(containerProblem === undefined)(`a rollout on one store${problem}`, () => {
  let registry: Registry;
  let stable: Sandbox;
  let canary: Sandbox;

  const make = async (features: object): Promise<Sandbox> => {
    const app = await createSandbox({ registry, copyAnnex: true });
    app.setCore({ features });
    writePodProgram(app);
    await lock(app);
    return app;
  };

  beforeAll(async () => {
    registry = await startRegistry(packages);
    stable = await make({ kit: '^1.0.0', old: '^1.0.0' });
    await registry.add(kit('1.1.0'));
    canary = await make({ kit: '^1.0.0' });
  });

  /** A volume, and pods of both versions on it. */
  function open(name: string) {
    const volume = makeVolume(stable, name);
    const env = { npm_config_registry: registry.url };
    const at = (app: Sandbox, isOnline = true): PodOptions => ({ app, volume, env, isOnline });
    const store = join(volume, 'annex');
    const digests = () => listEntries({ store }).map((dir) => [dir, stable.digest(dir)]);
    return { at, store, digests };
  }
  const countTarballs = (pattern: RegExp): number =>
    registry.requests.filter((line) => pattern.test(line)).length;
  const outcomes = (stdout: string): string[] =>
    JSON.parse(stdout).results.map(({ outcome }: { outcome: string }) => outcome);

  test('both start at once and run their own version; neither installs, retires or changes what the other has', async () => {
    const { at, digests } = open('both');
    registry.requests.length = 0;
    const [one, two] = await Promise.all([startPod(at(stable)), startPod(at(canary))]);
    const both = () => Promise.all([one.load('kit'), two.load('kit')]);
    expect(await both()).toEqual([{ marker: 'kit 1.0.0' }, { marker: 'kit 1.1.0' }]);
    expect(await one.load('old')).toEqual({ marker: 'old' });
    expect(countTarballs(/\/kit-1\.\d\.0\.tgz/)).toBe(2);
    const before = digests();
    expect(before).toHaveLength(3);

    registry.requests.length = 0;
    for (const pod of [one, two]) {
      const { stdout } = await pod.annex('refresh', '--json');
      expect(new Set(outcomes(stdout))).toEqual(new Set(['current']));
      const { entries } = JSON.parse((await pod.annex('prune', '--json')).stdout);
      expect(entries.map((one: { outcome: string }) => one.outcome)).toEqual(Array(3).fill('kept'));
      expect((await pod.annex('verify', '--repair')).code).toBe(0);
    }
    const [later, canaryLater] = await Promise.all([startPod(at(stable)), startPod(at(canary))]);
    expect([await later.load('kit'), await canaryLater.load('kit')]).toEqual(await both());
    expect(registry.requests).toEqual([]);
    expect(digests()).toEqual(before);
    for (const pod of [one, two, later, canaryLater]) await pod.kill();
  });

  test('a rollback needs no network; not even when the canary has pruned everything else', async () => {
    const { at, digests } = open('rollback');
    const installed = await runInPod(at(stable), 'install', '--all');
    expect(installed.code, installed.stderr).toBe(0);
    const before = digests();
    const [running, two] = await Promise.all([startPod(at(stable)), startPod(at(canary))]);
    expect(await two.load('kit')).toEqual({ marker: 'kit 1.1.0' });
    const back = await startPod(at(stable, false));
    expect(await back.load('kit')).toEqual({ marker: 'kit 1.0.0' });
    expect(back.said()).toBe('');

    expect(await running.load('kit')).toEqual({ marker: 'kit 1.0.0' });
    expect((await two.annex('prune', '--days', '0')).stdout).toMatch(/2 retired .* 1 kept/);
    expect(await running.load('kit')).toEqual({ marker: 'kit 1.0.0' });
    const again = await startPod(at(stable, false));
    expect([await again.load('kit'), await again.load('old')]).toEqual([
      { marker: 'kit 1.0.0' },
      { marker: 'old' },
    ]);
    await expect
      .poll(() => again.said())
      .toMatch(/^annex: restored kit: .*\nannex: restored old: .*\n$/);
    expect(digests()).toEqual(expect.arrayContaining(before));
    expect(await two.load('kit')).toEqual({ marker: 'kit 1.1.0' });
    for (const pod of [running, two, back, again]) await pod.kill();
  });

  test('a canary that is killed during its install delays the other version for the heartbeat, and leaves nothing', async () => {
    const { at, store } = open('killed');
    const gate = makeGate();
    registry.fault({ kind: 'slow', ms: 0, until: gate.until }, /kit-1\.1\.0\.tgz/);
    registry.requests.length = 0;
    const [one, two] = await Promise.all([startPod(at(stable)), startPod(at(canary))]);
    const lost = two.load('kit');
    lost.catch(() => {});
    await expect.poll(() => countTarballs(/kit-1\.1\.0\.tgz/)).toBe(1);
    const waiting = one.load('kit');
    await expect.poll(() => one.said()).toContain('waiting for');
    const since = performance.now();
    await two.kill();
    await expect(lost).rejects.toThrow('the pod has ended');
    expect(await waiting).toEqual({ marker: 'kit 1.0.0' });
    expect(performance.now() - since).toBeLessThan(60_000);
    gate.letGo();
    registry.fault(undefined);
    const three = await startPod(at(canary));
    expect(await three.load('kit')).toEqual({ marker: 'kit 1.1.0' });
    expect(listEntries({ store })).toHaveLength(2);
    expect(listStaging({ store })).toEqual([]);
    expect(readdirSync(join(store, 'v1', 'locks'))).toEqual([]);
    expect(existsSync(join(store, 'v1', 'failures', 'kit.json'))).toBe(false);
    for (const pod of [one, three]) await pod.kill();
  });
});
