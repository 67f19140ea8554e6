/** A real addon that is compiled, or fetched, by its install script; compiling it takes minutes of one processor. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readListing } from '../support/listing.ts';
import { listEntries, readLock } from '../support/lock-files.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const ADDON = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
const PROGRAM = `
import Database from 'better-sqlite3';
const database = new Database(':memory:');
database.exec('create table words (word text)');
database.prepare('insert into words values (?)').run('found');
console.log(database.prepare('select word from words').get().word);`;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox();
  sandbox.write('app/main.mjs', PROGRAM);
  sandbox.write('operator.json', { timeout: 900, durability: 'none' });
});

const options = () => ({
  env: {
    ...readMachineEnvironment(),
    ANNEX_STORE: sandbox.store,
    ANNEX_CONFIG: join(sandbox.root, 'operator.json'),
    SECRET: 'of the application',
  },
  timeout: 900_000,
});

/** Declares, locks and installs it in an empty store. */
async function install(scripts: string[]) {
  const feature = { packages: { 'better-sqlite3': '^12.0.0' }, scripts };
  sandbox.setCore({ features: { sqlite: feature } });
  expect(await sandbox.annex(['lock'], options())).toMatchObject({ code: 0, stderr: '' });
  const { code, stdout, stderr } = await sandbox.annex(['install', 'sqlite', '--json'], options());
  expect(code, stderr).toBe(0);
  const [result] = JSON.parse(stdout).results as [
    { outcome: string; dir: string; unrun?: string[] },
  ];
  expect(result.outcome).toBe('installed');
  return { ...result, stderr };
}

const use = () => sandbox.run(['--import', sandbox.loader, 'main.mjs'], options());

test('a script that is not allowed does not run: it is named, and the addon is missing', async () => {
  const { dir, unrun, stderr } = await install([]);
  const [name] = unrun ?? [];
  expect(unrun).toEqual([expect.stringMatching(/^better-sqlite3 12\./)]);
  expect(stderr).toContain(`annex: ${name}, for sqlite: its install script was not run; `);
  expect(basename(dirname(dir))).toBe('any');
  expect(existsSync(join(dir, ADDON))).toBe(false);
  const { code, stderr: said } = await use();
  expect(code).toBe(1);
  expect(said).toMatch(/Could not locate the bindings file/);
});

test('an allowed script runs, and the database opens', { timeout: 1_000_000 }, async () => {
  const { dir, unrun } = await install(['better-sqlite3']);
  expect(unrun).toBeUndefined();
  expect(await use()).toMatchObject({ code: 0, stdout: 'found\n', stderr: '' });
  expect(basename(dirname(dir))).toMatch(new RegExp(`^node${process.versions.modules}-`));
  const { ids } = readLock(sandbox, 'sqlite').sidecar;
  expect(Object.values(ids)).toContain(basename(dir).split('.').at(-2));
  expect(new Set(readdirSync(dir))).toEqual(
    new Set(['annex-entry.json', 'annex-files.txt', 'node_modules', 'package.json']),
  );
  const manifest = JSON.parse(readFileSync(join(dir, 'annex-entry.json'), 'utf8'));
  expect(manifest).toMatchObject({ scripts: ['better-sqlite3'] });
  const generated = Object.keys(readListing(dir).generated);
  expect(generated).toContain(ADDON);
  for (const path of generated) expect(path).toMatch(/^node_modules\/better-sqlite3\//);
  // The entry without the addon is another one, and no longer used.
  expect(listEntries(sandbox)).toHaveLength(2);
});

test('a script that uses a program of a dependency runs, and the addon loads', async () => {
  const packages = { bcrypt: '^6.0.0' };
  sandbox.setCore({ features: { hashes: { packages, scripts: ['bcrypt'] } } });
  sandbox.write(
    'app/hash.mjs',
    "import b from 'bcrypt'; console.log(b.hashSync('x', 4).length);\n",
  );
  const { code, stdout, stderr } = await sandbox.run(
    ['--import', sandbox.loader, 'hash.mjs'],
    options(),
  );
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '60\n' });
});
