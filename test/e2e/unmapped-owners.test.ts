/** Stores of users whom a user namespace does not map: the kernel shows them with the id of a real user. */
import { utimesSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { canUnshare } from '../support/namespaces.ts';
import { createSandbox } from '../support/sandbox.ts';
import { giveTo, isRoot, PLAIN_USER } from '../support/user.ts';

const PROGRAM = `
import { statSync } from 'node:fs';
const seen = statSync(process.env.ANNEX_STORE).uid;
const found = await import('alpha').then(({ marker }) => marker, ({ cause }) => cause.message);
console.log(JSON.stringify({ uid: process.geteuid(), seen, found }));
`;

async function open(owner: { uid: number; gid: number }) {
  const sandbox = await createSandbox({});
  sandbox.setCore({ features: { alpha: '^1.0.0' } });
  sandbox.plantEntry({
    feature: 'alpha',
    packages: [esmPackage('alpha', '1.0.0', 'sound')],
    specs: { alpha: '^1.0.0' },
  });
  giveTo(owner, sandbox.store);
  sandbox.write('app/main.mjs', PROGRAM);
  const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
  const start = [process.execPath, '--import', sandbox.loader, 'main.mjs'];
  const run = async (...flags: string[]) => {
    const ended = await sandbox.exec('unshare', [...flags, ...start], { env });
    if (ended.stdout === '') throw new Error(ended.stderr);
    return JSON.parse(ended.stdout);
  };
  return { sandbox, run };
}

const ROOT = { uid: 0, gid: 0 };
const UNMAPPED = 'belongs to a user whom this user namespace does not map';

const canMap = isRoot && canUnshare(['unshare', '--map-user=65534']);

describe.runIf(canMap).concurrent('in a user namespace', () => {
  test.for([
    ['that maps nobody', '--user'],
    ['that maps only this user, with the id of unmapped ones', '--map-user=65534'],
  ])('%s, its own store is used, and that of another user is not', async ([, flag = '']) => {
    const own = await open(ROOT);
    expect(await own.run(flag)).toEqual({ uid: 65534, seen: 65534, found: 'sound' });
    const { sandbox, run } = await open(PLAIN_USER);
    const { uid, seen, found } = await run(flag);
    expect({ uid, seen }).toEqual({ uid: 65534, seen: 65534 });
    expect(found).toContain(`${sandbox.store} ${UNMAPPED}`);
  });

  test('an entry of that other user in its own store is neither used nor pruned', async () => {
    const { sandbox } = await open(ROOT);
    // Of one feature that is declared, and of one that is not; each beside an entry of its own.
    const theirs = ['alpha', 'gone'].map((feature) => {
      const packages = [esmPackage(feature, '1.0.1', 'theirs')] as const;
      const specs = { [feature]: '^1.0.0' };
      sandbox.plantEntry({ feature, packages: [esmPackage(feature, '1.0.2', 'own')], specs });
      const dir = sandbox.plantEntry({ feature, packages, specs });
      giveTo(PLAIN_USER, dir);
      utimesSync(join(dir, 'annex-entry.json'), 0, 0);
      return dir;
    });
    const annex = [process.execPath, join(dirname(sandbox.loader), 'dist/cli/main.js')];
    const ask = async (...args: string[]) => {
      const options = { env: { ANNEX_STORE: sandbox.store } };
      const flags = ['--map-user=65534', ...annex, ...args, '--json'];
      return JSON.parse((await sandbox.exec('unshare', flags, options)).stdout).entries;
    };
    for (const dir of theirs) {
      expect(await ask('prune', '--dry-run', '--days', '0')).toContainEqual(
        expect.objectContaining({ entry: dir, outcome: 'kept', why: `it ${UNMAPPED}` }),
      );
    }
    expect(await ask('store', 'ls')).toContainEqual(
      expect.objectContaining({ dir: theirs[0], state: 'not trusted' }),
    );
  });

  test('root is told that nobody is mapped to the owner', async () => {
    const { sandbox, run } = await open(PLAIN_USER);
    const { uid, found } = await run('--map-root-user');
    expect(uid).toBe(0);
    expect(found).toContain(`${sandbox.store} ${UNMAPPED}, and this process is root`);
  });

  test('the remedy of a layer is to map its owner', async () => {
    const { sandbox } = await open(PLAIN_USER);
    const env = { ANNEX_STORE: `${delimiter}${sandbox.store}`, ANNEX_ALLOW_INSTALLS: '0' };
    const annex = [process.execPath, join(dirname(sandbox.loader), 'dist/cli/main.js')];
    const args = ['--map-user=10000', ...annex, 'why', 'alpha', '--json'];
    const { stdout } = await sandbox.exec('unshare', args, { env });
    const { reason, hint } = JSON.parse(stdout).refusal;
    expect(reason).toContain(`${sandbox.store} ${UNMAPPED}`);
    expect(hint).toMatch(/^map the owner of the layer into the user namespace, or /);
  });

  test('the remedy is to map the owner', async () => {
    const { sandbox } = await open(PLAIN_USER);
    const env = { ANNEX_STORE: sandbox.store };
    const annex = [process.execPath, join(dirname(sandbox.loader), 'dist/cli/main.js')];
    const args = ['--map-root-user', ...annex, 'doctor', '--json'];
    const { stdout } = await sandbox.exec('unshare', args, { env });
    const { findings } = JSON.parse(stdout);
    const write = findings.find(({ id }: { id: string }) => id === 'store.write');
    expect(write.remedy).toMatch(/^map the owner of the store into the user namespace/);
    const owner = findings.find(({ id }: { id: string }) => id === 'store.owner');
    expect(owner.text).toContain(UNMAPPED);
  });
});
