import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Budget, extractTarball } from '../../../src/install/extract.ts';
import { eachLine } from '../../../src/store/listing.ts';
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

  test('links and special files are left out, wherever they lead', () => {
    const { attempt, lookInside } = unpackEntries(
      { path: 'package/a' },
      { path: 'package/b', type: 'symlink', target: 'a' },
      { path: 'package/c', type: 'symlink', target: '/etc' },
      { path: '../../d', type: 'hardlink', target: '../../etc/passwd' },
      { path: 'package/e', type: 'fifo' },
      { path: 'package/c/f', data: 'f' },
    );
    attempt();
    expect(Object.keys(lookInside())).toEqual(['.', 'a', 'c', 'c/f']);
    expect(lookInside().c).toBe('directory 0755');
  });

  test.each([
    ['package/./dist/index.js', 'dist/index.js'],
    ['package//x', 'x'],
    ['package/a//././/b', 'a/b'],
    ['package/\\a', 'a'],
    ['package/c:/a', 'a'],
    ['package/c:d:a', 'a'],
    ['package///server/share/a', 'server/share/a'],
    ['package/\\\\server\\share\\a', 'a'],
    ['package/lib/c:a', 'lib/c:a'],
    ['package/lib\\.\\a', 'lib\\.\\a'],
  ])('the path %j at the place where it leads', (path, place) => {
    const { attempt, lookInside } = unpackEntries({ path, data: 'data' });
    const listed: string[] = [];
    eachLine(attempt().listing, (name) => listed.push(name));
    expect(listed).toEqual([place]);
    expect(lookInside()[place]).toBe(`file 0444 ${sha256('data')}`);
  });

  test.each(['package/.', 'package/./', 'package//', 'package', '..'])(
    'nothing at the path %j, which is no place in the package',
    (path) => {
      expect(
        unpackEntries({ path, type: 'contiguous' }, { path: 'package/a' }).attempt().files,
      ).toBe(1);
    },
  );

  test('of one path twice the later file, with the permissions of the first', () => {
    const { attempt, lookInside } = unpackEntries(
      { path: 'package/lib/a', data: 'first', mode: 0o755 },
      { path: 'package/b', data: 'b' },
      { path: 'package/./lib/a', data: 'the later one' },
    );
    expect(attempt()).toMatchObject({ files: 2, bytes: 14 });
    expect(lookInside()['lib/a']).toBe(`file 0555 ${sha256('the later one')}`);
  });

  test.each([
    ['another case', 'lib/Index.js', 'lib/index.js'],
    ['another case of a directory', 'Lib/a', 'lib/a'],
    ['another case of a file and a directory', 'LIB', 'lib/a'],
    ['another normal form', 'caf\u00e9', 'cafe\u0301'],
    ['another case beyond ASCII', 'É', 'é'],
  ])('two files with names in %s', (_, first, second) => {
    const { attempt, lookInside } = unpackEntries(
      { path: `package/${first}`, data: '1' },
      { path: `package/${second}`, data: '2' },
    );
    expect(attempt().files).toBe(2);
    expect(lookInside()).toMatchObject({
      [first]: `file 0444 ${sha256('1')}`,
      [second]: `file 0444 ${sha256('2')}`,
    });
  });

  test('names with control characters, on one line of the listing each', () => {
    const names = ['a\x1b[2J', 'a\x7fb', 'back\\slash\nnext', 'cr\r', 'x\\n', 'z\nz'];
    const { attempt, lookInside } = unpackEntries(
      ...names.map((name) => ({ path: `package/${name}`, data: name })),
    );
    const { listing } = attempt();
    expect(listing.split('\n')).toHaveLength(names.length + 1);
    const listed = new Map<string, string>();
    eachLine(listing, (path, value) => listed.set(path, value));
    expect([...listed]).toEqual(
      names.map((name) => [name, `${sha256(name)} ${Buffer.byteLength(name)}`]),
    );
    expect(new Set(Object.keys(lookInside()))).toEqual(new Set(['.', ...names]));
  });

  test('a plain archive', () => {
    const archive = writeArchive([{ path: 'package/a', data: 'abc' }]);
    expect(unpack(archive).attempt()).toMatchObject({ files: 1, bytes: 3 });
    const { attempt } = unpack(archive, { files: 9, bytes: archive.length - 1 });
    expect(attempt).toThrow(refusal(/^with it there are too many bytes to unpack$/));
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
    'package/lib/../a',
    'package/..',
    'package/lib/..',
    'package/lib\\..\\..\\..\\a',
    'package/..\\a',
    'package/c:../a',
    'package/c:\\c:..',
    'package/\\c:d:../a',
    'package///?/c:/../a',
    'package/two\nlines/../a',
  ])('the path %j', (path) => {
    const { attempt, look } = unpackEntries({ path, data: 'evil' });
    expect(attempt).toThrow(refusal(/^it holds a path out of the package, /));
    expect(look()).not.toMatchObject({ a: expect.anything() });
    expect(JSON.stringify(look())).not.toContain('file');
  });

  test('a path of more than 1024 names', () => {
    const path = (names: number): string => `package/${'d/'.repeat(names - 1)}a`;
    expect(unpackEntries({ path: path(1025) }).attempt).toThrow(
      refusal(/^it holds too deep a path$/),
    );
    expect(unpackEntries({ path: path(1024) }).attempt).not.toThrow();
  });

  test.each([
    ['a file where a directory is needed', 'a', 'a/b'],
    ['a file where a directory is', 'a/b', 'a'],
    ['a file above a directory that is needed', 'a', 'a/b/c'],
    ['a file above a directory', 'a/b/c', 'a'],
  ])('%s', (_, first, second) => {
    const { attempt, look } = unpackEntries(
      { path: `package/${first}`, data: '1' },
      { path: `package/${second}`, data: '2' },
    );
    expect(attempt).toThrow(refusal(/^it holds a as a file and as a directory$/));
    expect(Object.keys(look())).toEqual(['.']);
  });

  test.each([
    ['a file that is there', 'a'],
    ['a link that is there', 'link'],
    ['a dangling link that is there', 'dangling'],
    ['a directory that is there', 'inner'],
    ['a file as directory', 'a/b'],
    ['a name too long for a file', 'n'.repeat(300)],
    ['a path too long for this directory', `${'directory/'.repeat(408)}a`],
    ['a link in place of a directory', 'link/a'],
    ['a dangling link in place of a directory', 'dangling/a'],
    ['a link to a directory', 'away/a'],
  ])('a path that is %s', (_, path) => {
    const { root, dir } = openPlace();
    const outside = join(root, 'outside');
    writeFileSync(outside, 'mine');
    mkdirSync(join(dir, 'inner'), { recursive: true });
    writeFileSync(join(dir, 'a'), 'mine');
    symlinkSync(outside, join(dir, 'link'));
    symlinkSync(join(root, 'nowhere'), join(dir, 'dangling'));
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), join(dir, 'away'));
    const before = Object.entries(digestTree(root));
    const tarball = writeTarball([{ path: `package/${path}`, data: 'evil' }]);
    expect(() => extractTarball(tarball, dir, plenty())).toThrow(
      refusal(/^it holds a path that (?:cannot be made|is taken), /),
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
    ['the start of gzip', whole.subarray(0, 10)],
    ['half of it', whole.subarray(0, whole.length / 2)],
    ['all but the last byte', whole.subarray(0, -1)],
    ['all but the checksum', whole.subarray(0, -8)],
    ['a wrong checksum', damage(whole.length - 8)],
    ['a damaged body', damage(20)],
    ['a wrong size', damage(whole.length - 3)],
  ])('a tarball that is %s', (_, tarball) => {
    const { attempt, look } = unpack(tarball);
    expect(attempt).toThrow(refusal(/^it (does not unpack: |says it is)/));
    expect(Object.keys(look())).toEqual(['.']);
  });

  test.each<[string, Buffer, RegExp]>([
    ['nothing at all', Buffer.alloc(0), /^it holds no file$/],
    ['one byte', Buffer.of(0x1f), /^it is cut short$/],
    ['half an archive', archive.subarray(0, archive.length / 2), /^it is cut short$/],
    ['a page of HTML', Buffer.from('<!doctype html>'), /^it is cut short$/],
    [
      'a longer page of HTML',
      Buffer.from('<!doctype html>'.repeat(50)),
      /^it is not a tar archive$/,
    ],
  ])('a tarball that is %s', (_, tarball, reason) => {
    const { attempt, look } = unpack(tarball);
    expect(attempt).toThrow(refusal(reason));
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
