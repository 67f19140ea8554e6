/** list, why, status(), ensure(), an import and annex install give the same reason for an unavailable feature, and start nothing. */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openApi } from '../support/api.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { outerNodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import type { RunOptions, Sandbox } from '../support/sandbox.ts';
import { asPlainUser, isRoot } from '../support/user.ts';

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([
    esmPackage('kit', '1.0.0', 'kit'),
    dependentPackage('kit', '1.0.1', 'kit', { low: '^1.0.0' }),
    esmPackage('low', '1.0.0', 'low'),
  ]);
});

/** Records every process that this one starts; `--require` loads it in the thread of the hooks as well. */
const COUNTER = `
const { appendFileSync } = require('node:fs');
const processes = require('node:child_process');
for (const name of ['spawn', 'spawnSync']) {
  const start = processes[name];
  processes[name] = (...args) => {
    appendFileSync(process.env.STARTED, name + '\\n');
    return start(...args);
  };
}`;

const PROGRAM = `
const [first] = status().features;
result.status = { where: first.where, refusal: first.refusal };
result.ensure = await attempt(ensure('kit'));
result.import = await import('kit').then(() => 'loaded', ({ cause }) => cause && describeError(cause));`;

describe.each(outerNodes)('$label', (node) => {
  const open = async () => {
    const world = await openApi(node, registry, { kit: '^1.0.0' });
    const { sandbox } = world;
    const counter = sandbox.write('counter.cjs', COUNTER);
    const started = sandbox.write('started', '');
    chmodSync(started, 0o666);
    /** Result of an import, and before that of list and why; and the processes that the import started. */
    const run = async ({ isQuiet = false } = {}) => {
      const env = { ANNEX_STORE: sandbox.store, STARTED: started };
      const shared = { node: node.path, env };
      const [list] = JSON.parse((await sandbox.annex(['list', '--json'], shared)).stdout).features;
      const why = JSON.parse((await sandbox.annex(['why', 'kit', '--json'], shared)).stdout);
      const flags = ['--require', counter, '--import', sandbox.loader];
      const body = `result.import = await import('kit').then(({ marker }) => marker, ({ message }) => message);`;
      const { result } = isQuiet
        ? { result: {} }
        : await world.runProgram(body, { ...shared, flags });
      return { list, why, imported: result.import, started: readFileSync(started, 'utf8') };
    };
    /** The common refusal of all. */
    const ask = async (code: string, options: RunOptions = {}) => {
      const env = { ANNEX_STORE: sandbox.store, STARTED: started, ...options.env };
      const shared = { ...options, node: node.path, env };
      const flags = ['--require', counter, '--import', sandbox.loader];
      const { result } = await world.runProgram(PROGRAM, { ...shared, flags });
      const [row] = JSON.parse((await sandbox.annex(['list', '--json'], shared)).stdout).features;
      const why = JSON.parse((await sandbox.annex(['why', 'kit', '--json'], shared)).stdout);
      const { where, refusal } = result.status;
      expect({ where, code: refusal.code }).toEqual({ where: 'denied', code });
      expect(row).toMatchObject({ where: 'denied', refusal });
      expect(why).toMatchObject({ rule: 8, refusal: { code } });
      for (const { code: remembered, message } of [result.ensure.error, result.import]) {
        expect(remembered).toBe(code);
        expect(message).toContain(refusal.reason);
      }
      expect(readFileSync(started, 'utf8'), 'processes that were started').toBe('');
      const install = await sandbox.annex(['install', 'kit'], shared);
      expect(install.code).toBe(1);
      expect(install.stderr).toContain(`(${code}): ${refusal.reason}`);
      return { refusal, why };
    };
    return { ...world, ask, run };
  };
  const makeStore = (sandbox: Sandbox, mode: number) => {
    mkdirSync(sandbox.store, { mode: 0o755 });
    chmodSync(sandbox.store, mode);
  };

  test('a store that this user may not write', async () => {
    const { sandbox, ask } = await open();
    makeStore(sandbox, 0o555);
    const { refusal, why } = await ask('ANNEX_STORE_UNUSABLE', asPlainUser);
    expect(refusal.reason).toContain(
      `${sandbox.store} cannot be used: permission is denied (EACCES access`,
    );
    expect(why.refusal).toEqual(refusal);
  });

  test.runIf(isRoot)('a store of another user, for a user and for root', async () => {
    const { sandbox, ask } = await open();
    makeStore(sandbox, 0o755);
    chownSync(sandbox.store, 1234, 1234);
    for (const user of [asPlainUser, {}]) {
      const { refusal } = await ask('ANNEX_STORE_UNUSABLE', user);
      expect(refusal.reason).toMatch(/belongs to uid 1234/);
    }
  });

  test.runIf(canMount())('a volume that is read-only', async () => {
    const { sandbox, ask } = await open();
    const volume = join(sandbox.root, 'mounted');
    mkdirSync(volume);
    mount('-t', 'tmpfs', '-o', 'size=1m,mode=755,ro', 'tmpfs', volume);
    onTestFinished(() => void unmount(volume));
    const env = { ANNEX_STORE: join(volume, 'annex') };
    const { refusal } = await ask('ANNEX_STORE_UNUSABLE', { env });
    expect(refusal.reason).toMatch(/is mounted read-only \(EROFS/);
  });

  test('a locked version that is blocked', async () => {
    const { sandbox, ask } = await open();
    await lock(sandbox);
    sandbox.setCore({ features: { kit: '^1.0.0' }, blocked: ['kit@1.0.1'] });
    const { refusal } = await ask('ANNEX_DENIED');
    expect(refusal.reason).toBe('kit 1.0.1 is blocked by package.json (kit@1.0.1)');
    expect(existsSync(sandbox.store)).toBe(false);
    sandbox.setCore({ features: { kit: '^1.0.0' }, blocked: ['kit@1.0.0'] });
    const { code } = await sandbox.annex(['install', 'kit'], {
      env: { ANNEX_STORE: sandbox.store },
    });
    expect(code).toBe(0);
  });

  test.each([['kit'], ['kit@<2']])('%s is blocked, which leaves no version', async (item) => {
    const { sandbox, ask } = await open();
    sandbox.setCore({ features: { kit: '^1.0.0' }, blocked: [item] });
    const { refusal } = await ask('ANNEX_DENIED');
    expect(refusal.reason).toBe(`kit ^1.0.0 is blocked by package.json (${item})`);
    expect(existsSync(sandbox.store)).toBe(false);
  });

  test('a lock that no longer fits the core', async () => {
    const { sandbox, ask } = await open();
    const features = { kit: '^1.0.0' };
    sandbox.setCore({ features }, { dependencies: { low: '*' } });
    sandbox.addPackage('app/node_modules', esmPackage('low', '1.0.0', 'core'));
    await lock(sandbox);
    sandbox.addPackage('app/node_modules', esmPackage('low', '2.0.0', 'core'));
    const { refusal } = await ask('ANNEX_CONFLICT');
    expect(refusal.reason).toBe('kit 1.0.1 wants low ^1.0.0, and core ships 2.0.0');
    expect(existsSync(sandbox.store)).toBe(false);
  });

  test('another package of the feature that core ships out of range', async () => {
    const { sandbox, run } = await open();
    const packages = { kit: '^1.0.0', low: '^2.0.0' };
    sandbox.setCore({ features: { both: { packages } } }, { dependencies: { low: '*' } });
    sandbox.addPackage('app/node_modules', esmPackage('low', '1.0.0', 'core'));
    const { imported, list, why, started } = await run();
    expect(imported).toMatch(/ANNEX_CONFLICT.*core ships low 1\.0\.0/);
    expect(list).toMatchObject({
      where: 'core outside range',
      refusal: { code: 'ANNEX_CONFLICT' },
    });
    expect(why).toMatchObject({ rule: 8, refusal: list.refusal });
    expect(started).toBe('');
  });

  test('an entry that is blocked, while another version may exist: it is missing', async () => {
    const { sandbox, run } = await open();
    sandbox.setCore({ features: { kit: '^1.0.0' }, blocked: ['kit@1.0.0'] });
    sandbox.plantEntry({
      feature: 'kit',
      packages: [esmPackage('kit', '1.0.0', 'planted')],
      specs: { kit: '^1.0.0' },
    });
    const before = await run({ isQuiet: true });
    expect(before.why).toMatchObject({ rule: 9 });
    expect(before.list).toMatchObject({ where: 'missing', refusal: { code: 'ANNEX_DENIED' } });
    expect((await run()).imported).toBe('kit');
  });

  test('a damaged entry, with installs off', async () => {
    const { sandbox, runProgram } = await open();
    await lock(sandbox);
    const env = { ANNEX_STORE: sandbox.store };
    const { stdout } = await sandbox.annex(['install', 'kit', '--json'], { env });
    const [{ dir }] = JSON.parse(stdout).results;
    const damaged = join(dir, 'node_modules', 'kit', 'package.json');
    chmodSync(damaged, 0o644);
    writeFileSync(damaged, '{}');
    const denied = { env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } };
    const [row] = JSON.parse((await sandbox.annex(['list', '--json'], denied)).stdout).features;
    expect(row).toMatchObject({ where: 'denied', refusal: { code: 'ANNEX_INTEGRITY' } });
    const body = `
        result.import = await import('kit').then(() => 'loaded', ({ cause }) => describeError(cause));
        result.ensure = await attempt(ensure('kit'));
        result.status = status().features[0];
        result.isAvailable = isAvailable('kit');`;
    const { result } = await runProgram(body, denied);
    for (const { message } of [result.import, result.ensure.error]) {
      expect(message).toContain(row.refusal.reason);
    }
    expect(result.status).toMatchObject({ where: 'denied', refusal: row.refusal });
    expect(result.isAvailable).toBe(false);
  });
});
