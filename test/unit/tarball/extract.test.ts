/** Files that are unpacked from an archive, and files that are left out. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eachLine } from '../../../src/store/listing.ts';
import { extractTarball } from '../../../src/tarball/extract.ts';
import { writeArchive, writeTarball } from '../../support/tarball.ts';
import { openPlace, plenty, refusal, sha256, unpack, unpackEntries } from '../../support/unpack.ts';

describe('unpacks', () => {
  test('the files, without the first component of their paths, read-only', () => {
    const { attempt, digestDir } = unpackEntries(
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
      directories: expect.arrayContaining(['build', 'lib', 'lib/deep']),
    });
    expect(digestDir()).toEqual({
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

  test.each([0, 0o027, 0o077])('the same under umask %o, which does not change', (umask) => {
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
    const { attempt, digestDir } = unpackEntries({ path: 'package/lib/a', mode: 0o755 });
    attempt();
    expect(process.umask()).toBe(umask);
    expect(digestDir()).toMatchObject({ '.': 'directory 0755', lib: 'directory 0755' });
    expect(digestDir()['lib/a']).toMatch(/^file 0555 /);
    const empty = unpack(writeTarball([]));
    expect(empty.attempt).toThrow();
    expect(process.umask()).toBe(umask);
  });

  test('unusual but harmless names', () => {
    const names = ['..a', '...', 'a b', 'back\\slash', 'é', '日本/語.js', '-', '__proto__', 'a.'];
    const { attempt } = unpackEntries(...names.map((name) => ({ path: `package/${name}` })));
    const listed = attempt().listing.matchAll(/^[0-9a-f]{64} \d+\t(.*)\n/gm);
    const written = names.toSorted().map((name) => name.replace('\\', '\\\\'));
    expect([...listed].map(([, path]) => path)).toEqual(written);
  });

  test('an archive with a dot as the first component', () => {
    const { attempt, digestDir } = unpackEntries({ path: './package.json' });
    attempt();
    expect(Object.keys(digestDir())).toEqual(['.', 'package.json']);
  });

  test('no file beside the package', () => {
    const { attempt, digestRoot } = unpackEntries({ path: '._package' }, { path: 'package/a' });
    expect(attempt().files).toBe(1);
    expect(Object.keys(digestRoot())).toContain('node_modules/it/a');
    expect(JSON.stringify(digestRoot())).not.toContain('._package');
  });

  test('no links or special files', () => {
    const { attempt, digestDir } = unpackEntries(
      { path: 'package/a' },
      { path: 'package/b', type: 'symlink', target: 'a' },
      { path: 'package/c', type: 'symlink', target: '/etc' },
      { path: '../../d', type: 'hardlink', target: '../../etc/passwd' },
      { path: 'package/e', type: 'fifo' },
      { path: 'package/c/f', data: 'f' },
    );
    attempt();
    expect(Object.keys(digestDir())).toEqual(['.', 'a', 'c', 'c/f']);
    expect(digestDir().c).toBe('directory 0755');
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
  ])('the path %j at %j', (path, place) => {
    const { attempt, digestDir } = unpackEntries({ path, data: 'data' });
    const listed: string[] = [];
    eachLine(attempt().listing, (name) => listed.push(name));
    expect(listed).toEqual([place]);
    expect(digestDir()[place]).toBe(`file 0444 ${sha256('data')}`);
  });

  test.each(['package/.', 'package/./', 'package//', 'package', '..'])(
    'nothing for the path %j',
    (path) => {
      expect(
        unpackEntries({ path, type: 'contiguous' }, { path: 'package/a' }).attempt().files,
      ).toBe(1);
    },
  );

  test('the later of two files with one path, with the permissions of the first', () => {
    const { attempt, digestDir } = unpackEntries(
      { path: 'package/lib/a', data: 'first', mode: 0o755 },
      { path: 'package/b', data: 'b' },
      { path: 'package/./lib/a', data: 'the later one' },
    );
    expect(attempt()).toMatchObject({ files: 2, bytes: 14 });
    expect(digestDir()['lib/a']).toBe(`file 0555 ${sha256('the later one')}`);
  });

  test.each([
    ['another case', 'lib/Index.js', 'lib/index.js'],
    ['another case of a directory', 'Lib/a', 'lib/a'],
    ['another case of a file and a directory', 'LIB', 'lib/a'],
    ['another normal form', 'caf\u00e9', 'cafe\u0301'],
    ['another case beyond ASCII', 'É', 'é'],
  ])('two files with names in %s', (_, first, second) => {
    const { attempt, digestDir } = unpackEntries(
      { path: `package/${first}`, data: '1' },
      { path: `package/${second}`, data: '2' },
    );
    expect(attempt().files).toBe(2);
    expect(digestDir()).toMatchObject({
      [first]: `file 0444 ${sha256('1')}`,
      [second]: `file 0444 ${sha256('2')}`,
    });
  });

  test('names with control characters, on one line of the listing each', () => {
    const names = ['a\x1b[2J', 'a\x7fb', 'back\\slash\nnext', 'cr\r', 'x\\n', 'z\nz'];
    const { attempt, digestDir } = unpackEntries(
      ...names.map((name) => ({ path: `package/${name}`, data: name })),
    );
    const { listing } = attempt();
    expect(listing.split('\n')).toHaveLength(names.length + 1);
    const listed = new Map<string, string>();
    eachLine(listing, (path, value) => listed.set(path, value));
    expect([...listed]).toEqual(
      names.map((name) => [name, `${sha256(name)} ${Buffer.byteLength(name)}`]),
    );
    expect(new Set(Object.keys(digestDir()))).toEqual(new Set(['.', ...names]));
  });

  test('a plain archive', () => {
    const archive = writeArchive([{ path: 'package/a', data: 'abc' }]);
    expect(unpack(archive).attempt()).toMatchObject({ files: 1, bytes: 3 });
    const { attempt } = unpack(archive, { files: 9, bytes: archive.length - 1 });
    expect(attempt).toThrow(refusal(/^it exceeds the bytes of an install$/));
  });

  test('beside existing files of the directory', () => {
    const { dir } = openPlace();
    mkdirSync(join(dir, 'node_modules', 'inner'), { recursive: true });
    const tarball = writeTarball([{ path: 'package/node_modules/bundled/a' }]);
    expect(extractTarball(tarball, dir, plenty()).files).toBe(1);
  });

  test('a tarball of several gzip members, whose last one states only its own size', () => {
    const archive = writeArchive([{ path: 'package/a', data: 'a'.repeat(100_000) }]);
    const members = [archive.subarray(0, 80_000), archive.subarray(80_000)].map((part) =>
      gzipSync(part),
    );
    expect(unpack(Buffer.concat(members)).attempt().bytes).toBe(100_000);
  });
});
