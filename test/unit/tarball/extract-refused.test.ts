/** Archives that are refused, and the reason. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { extractTarball } from '../../../src/tarball/extract.ts';
import { writeArchive, writeTarball } from '../../support/tarball.ts';
import { digestTree } from '../../support/tree.ts';
import { openPlace, plenty, refusal, sha256, unpack, unpackEntries } from '../../support/unpack.ts';

describe('refuses', () => {
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
    const { attempt, digestRoot } = unpackEntries({ path, data: 'evil' });
    expect(attempt).toThrow(refusal(/^it has a path out of the package, /));
    expect(digestRoot()).not.toMatchObject({ a: expect.anything() });
    expect(JSON.stringify(digestRoot())).not.toContain('file');
  });

  test('a path of more than 1024 names', () => {
    const path = (names: number): string => `package/${'d/'.repeat(names - 1)}a`;
    expect(unpackEntries({ path: path(1025) }).attempt).toThrow(
      refusal(/^it has a path that is too deep$/),
    );
    expect(unpackEntries({ path: path(1024) }).attempt).not.toThrow();
  });

  test.each([
    ['a file where a directory is needed', 'a', 'a/b'],
    ['a file where a directory is', 'a/b', 'a'],
    ['a file above a directory that is needed', 'a', 'a/b/c'],
    ['a file above a directory', 'a/b/c', 'a'],
  ])('%s', (_, first, second) => {
    const { attempt, digestRoot } = unpackEntries(
      { path: `package/${first}`, data: '1' },
      { path: `package/${second}`, data: '2' },
    );
    expect(attempt).toThrow(refusal(/^it has a as a file and as a directory$/));
    expect(Object.keys(digestRoot())).toEqual(['.']);
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
      refusal(/^it has a path that (?:cannot be made|exists already), /),
    );
    expect(Object.entries(digestTree(root))).toEqual(expect.arrayContaining(before));
    expect(JSON.stringify(digestTree(root))).not.toContain(sha256('evil'));
  });

  test('errors of the file system pass through unchanged', () => {
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
    const { attempt, digestRoot } = unpack(tarball);
    expect(attempt).toThrow(refusal(/^it (does not unpack: |states a size of)/));
    expect(Object.keys(digestRoot())).toEqual(['.']);
  });

  test.each<[string, Buffer, RegExp]>([
    ['nothing at all', Buffer.alloc(0), /^it has no files$/],
    ['one byte', Buffer.of(0x1f), /^it is truncated$/],
    ['half an archive', archive.subarray(0, archive.length / 2), /^it is truncated$/],
    ['a page of HTML', Buffer.from('<!doctype html>'), /^it is truncated$/],
    ['a long page of HTML', Buffer.from('<!doctype html>'.repeat(50)), /^it is not a tar archive$/],
  ])('a tarball that is %s', (_, tarball, reason) => {
    const { attempt, digestRoot } = unpack(tarball);
    expect(attempt).toThrow(refusal(reason));
    expect(Object.keys(digestRoot())).toEqual(['.']);
  });

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(10_240)],
    ['no entries', writeArchive([])],
    ['a directory', writeArchive([{ path: 'package/', type: 'directory' }])],
    ['a file beside the package', writeArchive([{ path: 'package' }])],
  ])('a tarball with %s in it', (_, bytes) => {
    expect(unpack(gzipSync(bytes)).attempt).toThrow(refusal(/^it has no files$/));
  });
});
