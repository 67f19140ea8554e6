import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Budget, extractTarball } from '../../../src/install/extract.ts';
import { type TarEntry, writeArchive, writeTarball } from '../../support/tarball.ts';
import { digestTree, removeTree } from '../../support/tree.ts';

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const plenty = (): Budget => ({ files: 200_000, bytes: 2 ** 31 });
const refusal = (reason: string | RegExp) =>
  expect.objectContaining({ code: 'ANNEX_INTEGRITY', message: expect.stringMatching(reason) });

/** A directory that is removed again, and one in it that is not there yet. */
function openPlace(): { root: string; dir: string } {
  const root = mkdtempSync(join(tmpdir(), 'annex-extract-'));
  onTestFinished(() => removeTree(root));
  return { root, dir: join(root, 'node_modules', 'it') };
}

/** Unpacks into a fresh place, and gives what is there afterwards, whether that worked or not. */
function unpack(tarball: Buffer, budget = plenty()) {
  const { root, dir } = openPlace();
  const attempt = () => extractTarball(tarball, dir, budget);
  return { attempt, look: () => digestTree(root), lookInside: () => digestTree(dir) };
}

const unpackEntries = (...entries: TarEntry[]) => unpack(writeTarball(entries));

describe('what is unpacked', () => {
  test('the files, without the first component of their paths, read-only', () => {
    const { attempt, lookInside } = unpackEntries(
      { path: 'package/package.json', data: '{}' },
      { path: 'package/lib/deep/run.js', data: 'run', mode: 0o744 },
      { path: 'package/lib/set.js', data: 'set', mode: 0o6666 },
      { path: 'other/build/addon.node', data: 'addon', mode: 0o1 },
    );
    expect(attempt()).toEqual({
      listing: [
        `${sha256('addon')} 5\tbuild/addon.node\n`,
        `${sha256('run')} 3\tlib/deep/run.js\n`,
        `${sha256('set')} 3\tlib/set.js\n`,
        `${sha256('{}')} 2\tpackage.json\n`,
      ].join(''),
      files: 4,
      bytes: 13,
      hasAddon: true,
      directories: expect.arrayContaining(['build', 'lib', 'lib/deep']),
    });
    expect(lookInside()).toEqual({
      '.': 'directory 0755',
      build: 'directory 0755',
      'build/addon.node': `file 0555 ${sha256('addon')}`,
      lib: 'directory 0755',
      'lib/deep': 'directory 0755',
      'lib/deep/run.js': `file 0555 ${sha256('run')}`,
      'lib/set.js': `file 0444 ${sha256('set')}`,
      'package.json': `file 0444 ${sha256('{}')}`,
    });
  });

  test.each([0, 0o027, 0o077])('the same under umask %o, which stays what it was', (umask) => {
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
    const { attempt, lookInside } = unpackEntries({ path: 'package/lib/a', mode: 0o755 });
    attempt();
    expect(process.umask()).toBe(umask);
    expect(lookInside()).toMatchObject({ '.': 'directory 0755', lib: 'directory 0755' });
    expect(lookInside()['lib/a']).toMatch(/^file 0555 /);
    const empty = unpack(writeTarball([]));
    expect(empty.attempt).toThrow();
    expect(process.umask()).toBe(umask);
  });

  test('names that are odd, but harmless', () => {
    const names = ['..a', '...', 'a b', 'back\\slash', 'é', '日本/語.js', '-', '__proto__', 'a.'];
    const { attempt } = unpackEntries(...names.map((name) => ({ path: `package/${name}` })));
    const listed = attempt().listing.matchAll(/^[0-9a-f]{64} \d+\t(.*)\n/gm);
    const written = names.toSorted().map((name) => name.replace('\\', '\\\\'));
    expect([...listed].map(([, path]) => path)).toEqual(written);
  });

  test('the first component is a dot, when somebody has packed by hand', () => {
    const { attempt, lookInside } = unpackEntries({ path: './package.json' });
    attempt();
    expect(Object.keys(lookInside())).toEqual(['.', 'package.json']);
  });

  test('a file beside the package is left out', () => {
    const { attempt, look } = unpackEntries({ path: '._package' }, { path: 'package/a' });
    expect(attempt().files).toBe(1);
    expect(Object.keys(look())).toContain('node_modules/it/a');
    expect(JSON.stringify(look())).not.toContain('._package');
  });

  test('a link that stays inside is left out', () => {
    const { attempt, lookInside } = unpackEntries(
      { path: 'package/a' },
      { path: 'package/b', type: 'symlink', target: 'a' },
    );
    attempt();
    expect(Object.keys(lookInside())).toEqual(['.', 'a']);
  });

  test('beside what the directory holds already', () => {
    const { dir } = openPlace();
    mkdirSync(join(dir, 'node_modules', 'inner'), { recursive: true });
    const tarball = writeTarball([{ path: 'package/node_modules/bundled/a' }]);
    expect(extractTarball(tarball, dir, plenty()).files).toBe(1);
  });

  test('a tarball of several gzip members, whose last one tells a size that is not the whole', () => {
    const archive = writeArchive([{ path: 'package/a', data: 'a'.repeat(100_000) }]);
    const members = [archive.subarray(0, 80_000), archive.subarray(80_000)].map((part) =>
      gzipSync(part),
    );
    expect(unpack(Buffer.concat(members)).attempt().bytes).toBe(100_000);
  });
});

describe('what is refused', () => {
  test.each([
    '/package/a',
    '/etc/passwd',
    '../a',
    'package/../a',
    'package/../../a',
    'package/lib/../../../a',
    'package/..',
    'package/lib/..',
    'package/.',
    'package/./a',
    'package//a',
    'package/lib\\..\\..\\..\\a',
    'package/..\\a',
    'package/\\a',
    'package/a\nb',
    'package/a\x1b[2J',
    'package/a\x7fb',
    'package/a\u0085b',
  ])('the path %j', (path) => {
    const { attempt, look } = unpackEntries({ path, data: 'evil' });
    expect(attempt).toThrow(refusal(/^it holds a path out of the package, /));
    expect(look()).not.toMatchObject({ a: expect.anything() });
    expect(JSON.stringify(look())).not.toContain('file');
  });

  test.each([
    ['the same name', 'a', 'a'],
    ['another case', 'lib/Index.js', 'lib/index.js'],
    ['another case of a directory', 'Lib/a', 'lib/a'],
    ['another normal form', 'caf\u00e9', 'cafe\u0301'],
    ['another case beyond ASCII', 'É', 'é'],
    ['a sign that folds to ASCII', '\u212aey', 'key'],
    ['a letter that folds to two', 'stra\u00dfe', 'STRASSE'],
    ['a file where a directory is needed', 'a', 'a/b'],
    ['a file where a directory of another case is needed', 'A', 'a/b/c'],
    ['a file where a directory is', 'a/b', 'a'],
    ['a file where a directory of another case is', 'a/b', 'A'],
  ])('two files with %s', (_, first, second) => {
    const { attempt } = unpackEntries(
      { path: `package/${first}`, data: '1' },
      { path: `package/${second}`, data: '2' },
    );
    expect(attempt).toThrow(refusal(/^it holds .+ twice, or in names that differ only in case$/));
  });

  test('two directories may differ in case', () => {
    expect(unpackEntries({ path: 'p/Lib/a' }, { path: 'p/lib/b' }).attempt().files).toBe(2);
  });

  test.each([
    ['a file that is there', 'a'],
    ['a link that is there', 'link'],
    ['a dangling link that is there', 'dangling'],
    ['a directory that is there', 'inner'],
    ['a file as directory', 'a/b'],
    ['a name too long for a file', 'n'.repeat(300)],
    ['a path too long for this directory', `${'directory/'.repeat(408)}a`],
  ])('a path that is %s', (_, path) => {
    const { root, dir } = openPlace();
    const outside = join(root, 'outside');
    writeFileSync(outside, 'mine');
    mkdirSync(join(dir, 'inner'), { recursive: true });
    writeFileSync(join(dir, 'a'), 'mine');
    symlinkSync(outside, join(dir, 'link'));
    symlinkSync(join(root, 'nowhere'), join(dir, 'dangling'));
    const before = Object.entries(digestTree(root));
    const tarball = writeTarball([{ path: `package/${path}`, data: 'evil' }]);
    expect(() => extractTarball(tarball, dir, plenty())).toThrow(
      refusal(/^it holds a path that cannot be made, /),
    );
    expect(Object.entries(digestTree(root))).toEqual(expect.arrayContaining(before));
    expect(JSON.stringify(digestTree(root))).not.toContain(sha256('evil'));
  });

  test('errors of the file system are passed on as they are', () => {
    const { root } = openPlace();
    writeFileSync(join(root, 'file'), '');
    const tarball = writeTarball([{ path: 'package/a' }]);
    expect(() => extractTarball(tarball, join(root, 'file', 'it'), plenty())).toThrow(
      expect.objectContaining({ code: 'ENOTDIR' }),
    );
  });

  const archive = writeArchive([{ path: 'package/a', data: 'abc'.repeat(1000) }]);
  const whole = gzipSync(archive);
  const damage = (at: number): Buffer => {
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0xff, at);
    return damaged;
  };
  test.each<[string, Buffer]>([
    ['nothing at all', Buffer.alloc(0)],
    ['one byte', Buffer.of(0x1f)],
    ['the start of gzip', whole.subarray(0, 10)],
    ['half of it', whole.subarray(0, whole.length / 2)],
    ['all but the last byte', whole.subarray(0, -1)],
    ['all but the checksum', whole.subarray(0, -8)],
    ['a tar archive that is not gzipped', archive],
    ['a page of HTML', Buffer.from('<!doctype html><title>502 Bad Gateway</title>')],
    ['a wrong checksum', damage(whole.length - 8)],
    ['a damaged body', damage(20)],
    ['a wrong size', damage(whole.length - 3)],
  ])('a tarball that is %s', (_, tarball) => {
    const { attempt, look } = unpack(tarball);
    expect(attempt).toThrow(refusal(/^it (does not unpack: |says it is)/));
    expect(Object.keys(look())).toEqual(['.']);
  });

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(10_240)],
    ['no entries', writeArchive([])],
    ['a directory', writeArchive([{ path: 'package/', type: 'directory' }])],
    ['a file beside the package', writeArchive([{ path: 'package' }])],
  ])('a tarball with %s in it', (_, bytes) => {
    expect(unpack(gzipSync(bytes)).attempt).toThrow(refusal(/^it holds no file$/));
  });
});
