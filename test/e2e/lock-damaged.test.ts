/** `annex lock --check` reports each damaged lock with its file. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock, lockBefore, node, readLock } from '../support/lock-files.ts';

const common = esmPackage('common', '1.2.0', 'common');
const openLocked = lockBefore({
  packages: [
    dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', alpha: '^1.0.0' }),
    common,
    esmPackage('alpha', '1.0.0', 'alpha'),
  ],
  annex: {},
  prepare: (sandbox) => {
    sandbox.setCore({ features: { kit: '^1.0.0' } }, { dependencies: { common: '*' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), common);
  },
});

/** A core with the lock, and the report of `--check`. */
async function open() {
  const { sandbox } = await openLocked();
  const check = async () => {
    const { code, stderr } = await sandbox.annex(['lock', '--check']);
    expect(code).toBe(1);
    return stderr;
  };
  const at = (path: string) => join(sandbox.core, 'annex', path);
  const edit = (path: string, change: (text: string) => string) =>
    writeFileSync(at(path), change(readFileSync(at(path), 'utf8')));
  return { sandbox, check, at, edit };
}

describe(node.label, () => {
  test.each([
    ['annex.json', 'does not parse', () => '{', /kit\/annex\.json does not parse as JSON/],
    ['annex.json', 'holds null', () => 'null', /kit\/annex\.json is of format undefined/],
    [
      'annex.json',
      'is of an older format',
      (text: string) => text.replace('"format": 2', '"format": 1'),
      /kit\/annex\.json is of format 1, and this annex reads 2: lock it again/,
    ],
    [
      'annex.json',
      'holds other packages',
      (text: string) => text.replace('"1.2.0"', '12'),
      /kit\/annex\.json is not as annex wrote it/,
    ],
    [
      'annex.json',
      'shares another package',
      (text: string) => text.replace('"1.2.0"', '"1.2.1"'),
      /kit: common is core's 1\.2\.1 in the lock/,
    ],
    [
      'annex.json',
      'has another id',
      (text: string) => text.replace(/"any": "..../, '"any": "0000'),
      /kit\/annex\.json does not belong to the package-lock\.json beside it/,
    ],
    [
      'annex.json',
      'lacks the digests of a package',
      (text: string) => text.replace('"node_modules/alpha"', '"node_modules/alpine"'),
      /kit\/annex\.json does not belong to the package-lock\.json beside it/,
    ],
    ['annex.json', 'is half merged', merge, /kit\/annex\.json does not parse as JSON/],
    [
      'package-lock.json',
      'is half merged',
      merge,
      /kit\/package-lock\.json is not the file that annex wrote/,
    ],
    [
      'package-lock.json',
      'was edited',
      (text: string) => text.replace('1.0.0', '1.0.1'),
      /kit\/package-lock\.json is not the file that annex wrote/,
    ],
    [
      'package.json',
      'was edited',
      (text: string) => `${text}\n`,
      /kit\/package\.json is not the file that annex wrote/,
    ],
  ])('a lock whose %s %s is reported', async (file, _, change, said) => {
    const { check, edit } = await open();
    edit(`kit/${file}`, change);
    const text = await check();
    expect(text).toMatch(said);
    expect(text).toMatch(/^annex: kit: .+\n$/);
  });

  test.each(['annex.json', 'package-lock.json', 'package.json'])(
    'a lock without %s is reported',
    async (file) => {
      const { check, at } = await open();
      rmSync(at(`kit/${file}`));
      expect(await check()).toBe(
        `annex: kit: ${at(`kit/${file}`)} cannot be read: ENOENT. Now: npx annex lock kit\n`,
      );
    },
  );

  test('starting a program reads no lock: a broken one is reported when its feature is requested', async () => {
    const { sandbox, edit } = await open();
    edit('kit/annex.json', () => '{');
    const program = `if (process.argv[2]) await import('kit').catch((error) => console.log(error.cause.code));`;
    sandbox.write(join(sandbox.core, 'main.mjs'), program);
    const run = (...args: string[]) =>
      sandbox.run(['--import', sandbox.loader, 'main.mjs', ...args], { node: node.path });
    expect(await run()).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await run('kit')).toMatchObject({ code: 0, stdout: 'ANNEX_INVALID_CONFIG\n' });
  });

  test.each(['package-lock.json', 'package.json'])(
    'beside a changed %s, an installed entry is used and nothing is installed',
    async (file) => {
      const { sandbox, edit } = await open();
      sandbox.write(
        join(sandbox.core, 'main.mjs'),
        `await import('kit').then(({ marker }) => console.log(marker), ({ cause }) => console.log(cause.code));`,
      );
      const env = { ANNEX_STORE: sandbox.store };
      const run = async () =>
        (await sandbox.run(['--import', sandbox.loader, 'main.mjs'], { node: node.path, env }))
          .stdout;
      expect(await run()).toBe('kit\n');
      edit(`kit/${file}`, (text) => `${text}\n`);
      expect(await run()).toBe('kit\n');
      rmSync(sandbox.store, { recursive: true });
      expect(await run()).toBe('ANNEX_INVALID_CONFIG\n');
    },
  );

  test.each(['{', 'null', '[]', '{"made": 1}'])('locking again replaces %s', async (text) => {
    const { sandbox, edit } = await open();
    edit('kit/annex.json', () => text);
    await lock(sandbox);
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
    expect(readLock(sandbox, 'kit').sidecar.made).toMatchObject({ annex: expect.any(String) });
  });
});

/** A merge conflict of git. */
function merge(text: string): string {
  const [first = '', ...rest] = text.split('\n');
  return [
    first,
    '<<<<<<< HEAD',
    ...rest.slice(0, 3),
    '=======',
    ...rest.slice(0, 3),
    '>>>>>>> theirs',
    ...rest.slice(3),
  ].join('\n');
}
