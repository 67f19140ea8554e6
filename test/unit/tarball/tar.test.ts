import { describe, expect, test } from 'vitest';
import { readTar } from '../../../src/tarball/tar.ts';
import { signHeader, type TarEntry, writeArchive } from '../../support/tarball.ts';

const list = (archive: Buffer): string[] =>
  [...readTar(archive)].map(({ path, mode, body }) => `${path} ${mode.toString(8)} ${body}`);
const listOf = (...entries: TarEntry[]): string[] => list(writeArchive(entries));
const long = `package/${'directory/'.repeat(30)}file.js`;
const refusal = (reason: string) =>
  expect.objectContaining({
    code: 'ANNEX_INTEGRITY',
    refusal: expect.objectContaining({ reason }),
  });

/** The archive with other bytes in its first header, and the checksum that fits them. */
function forge(archive: Buffer, at: number, bytes: string | Buffer): Buffer {
  const forged = Buffer.from(archive);
  Buffer.from(bytes).copy(forged, at);
  return signHeader(forged);
}

describe('reads', () => {
  test.each<[string, TarEntry]>([
    ['a short name', { path: 'package/a.js' }],
    ['a name of 100 bytes', { path: `package/${'n'.repeat(92)}` }],
    ['a name over ustar prefix and name', { path: `package/${'d'.repeat(120)}/${'n'.repeat(90)}` }],
    ['a name with a prefix of 155 bytes', { path: `package/${'d'.repeat(147)}/n` }],
    ['a long name in a pax header', { path: long }],
    ['a long name in a GNU header', { path: long, longNames: 'gnu' }],
    ['a name beyond ASCII', { path: 'package/é/日本.js' }],
    ['a long name beyond ASCII', { path: `package/${'日本/'.repeat(60)}a.js` }],
    [
      'a long name beyond ASCII in a GNU header',
      { path: `package/${'日本/'.repeat(60)}a.js`, longNames: 'gnu' },
    ],
    ['a file of Unix V7', { path: 'package/a.js', type: 'old' }],
    ['a contiguous file', { path: 'package/a.js', type: 'contiguous' }],
    ['an executable', { path: 'package/a.js', mode: 0o755 }],
    ['a set-id file', { path: 'package/a.js', mode: 0o6755 }],
    ['an empty file', { path: 'package/a.js', data: '' }],
    ['a file of one block', { path: 'package/a.js', data: 'x'.repeat(512) }],
    ['a file of more than a block', { path: 'package/a.js', data: 'x'.repeat(513) }],
    [
      'other pax records',
      {
        path: 'package/a.js',
        pax: { mtime: '1.5', 'SCHILY.dev': '1', comment: 'a=b\nc', ['k'.repeat(300)]: 'x' },
      },
    ],
  ])('%s', (_, entry) => {
    const { path, data = 'text', mode = 0o644 } = entry;
    expect(listOf({ ...entry, data }, { path: 'package/next', data: 'n' })).toEqual([
      `${path} ${mode.toString(8)} ${data}`,
      'package/next 644 n',
    ]);
  });

  test('the size of a pax record, whatever the header says', () => {
    const archive = writeArchive([
      { path: 'package/a', pax: { size: '3' }, data: 'abc' },
      { path: 'package/b', data: 'b' },
    ]);
    const header = archive.subarray(1024, 1536);
    forge(header, 124, '00000000000\0').copy(header);
    expect(list(archive)).toEqual(['package/a 644 abc', 'package/b 644 b']);
  });

  test('a size in base 256', () => {
    const size = Buffer.from('800000000000000000000003', 'hex');
    expect(list(forge(writeArchive([{ path: 'package/a', data: 'abc' }]), 124, size))).toEqual([
      'package/a 644 abc',
    ]);
  });

  test('a header of GNU tar, with times in place of the prefix', () => {
    const old = forge(writeArchive([{ path: 'package/a' }]), 257, 'ustar  \0');
    expect(list(forge(old, 345, '14371573124\0'))).toEqual(['package/a 644 ']);
  });

  test('a body as a view into the archive', () => {
    const archive = writeArchive([{ path: 'package/a', data: 'abc' }]);
    const [file] = [...readTar(archive)];
    expect(file?.body.buffer).toBe(archive.buffer);
    expect(file?.body.byteOffset).toBe(archive.byteOffset + 512);
  });

  test('nothing after two blocks of zeros', () => {
    const one = writeArchive([{ path: 'package/a' }]);
    expect(list(Buffer.concat([one, one]))).toEqual(['package/a 644 ']);
  });

  test('entries after one block of zeros', () => {
    const one = writeArchive([{ path: 'package/a' }]).subarray(0, -512);
    expect(list(Buffer.concat([one, one, one]))).toEqual(Array(3).fill('package/a 644 '));
  });

  test('a name and a link in the headers of Solaris', () => {
    expect(
      listOf(
        { path: 'x', type: 'oldLongName', data: `${long}\0` },
        { path: 'package/a' },
        { path: 'x', type: 'oldPax', data: '18 path=package/b\n' },
        { path: 'package/a' },
      ),
    ).toEqual([`${long} 644 `, 'package/b 644 ']);
  });

  test('an archive without blocks of zeros at its end', () => {
    expect(list(writeArchive([{ path: 'package/a', data: 'a' }]).subarray(0, 1024))).toEqual([
      'package/a 644 a',
    ]);
  });
});

describe('skips', () => {
  test.each<[string, TarEntry]>([
    ['a directory', { path: 'package/lib/', type: 'directory' }],
    ['a directory of Unix V7, a file whose name ends in a slash', { path: 'package/lib/' }],
    [
      'the header of git archive',
      { path: 'pax_global_header', type: 'global', data: '52 comment=7b29e1c\n' },
    ],
    [
      'a symbolic link that stays inside',
      { path: 'package/a/link', type: 'symlink', target: '../b' },
    ],
    [
      'a symbolic link to the package itself',
      { path: 'package/a/link', type: 'symlink', target: '..' },
    ],
    [
      'a hard link that stays inside',
      { path: 'package/link', type: 'hardlink', target: 'package/a' },
    ],
    ['a long link', { path: 'package/link', type: 'symlink', target: 'x/'.repeat(80) }],
    [
      'a long link of GNU',
      { path: 'package/l', type: 'symlink', target: 'x/'.repeat(80), longNames: 'gnu' },
    ],
    ['an absolute link', { path: '/package/x', type: 'symlink', target: '/etc/passwd' }],
    ['a link to above', { path: '../x', type: 'hardlink', target: '../../x' }],
    ['a character device', { path: 'package/x', type: 'character' }],
    ['a block device', { path: 'package/x', type: 'block' }],
    ['a pipe', { path: 'package/x', type: 'fifo' }],
  ])('%s', (_, entry) => {
    expect(listOf(entry, { path: 'package/next' })).toEqual(['package/next 644 ']);
  });

  test('the size of a directory, which has no body', () => {
    const archive = writeArchive([{ path: 'package/', type: 'directory' }, { path: 'package/a' }]);
    expect(list(forge(archive, 124, '00000010000\0'))).toEqual(['package/a 644 ']);
  });
});

describe('refuses', () => {
  test.each<[string, TarEntry, string]>([
    [
      'a sparse file',
      { path: 'package/x', type: 'sparse' },
      'it has a file of type S, package/x, which npm does not unpack',
    ],
    [
      'a file that is a link as well',
      { path: 'package/x', target: 'y' },
      'it has package/x as a file and as a link',
    ],
    [
      'a link without a target',
      { path: 'package/x', type: 'symlink' },
      'it has a link without a target, package/x',
    ],
    ['a file without a name', { path: '' }, 'it has a file without a name'],
  ])('%s', (_, entry, reason) => {
    expect(() => listOf(entry)).toThrow(refusal(reason));
  });

  test.each<[string, TarEntry, string]>([
    ['path', { path: 'd/'.repeat(3000) }, 'it has a path that is too long'],
    [
      'path of GNU',
      { path: 'd/'.repeat(3000), longNames: 'gnu' },
      'it has a path that is too long',
    ],
    [
      'link',
      { path: 'd/'.repeat(3000), type: 'symlink', target: '/' },
      'it has a path that is too long',
    ],
    [
      'pax header',
      { path: 'a', pax: { comment: 'c'.repeat(2 ** 20) } },
      'it has a header that is too long',
    ],
    [
      'GNU header',
      { path: 'd'.repeat(2 ** 21), longNames: 'gnu' },
      'it has a header that is too long',
    ],
  ])('too long a %s', (_, entry, reason) => {
    expect(() => listOf(entry)).toThrow(refusal(reason));
  });

  const archive = writeArchive([{ path: 'package/a', data: 'x'.repeat(600) }]);
  test.each<[string, Buffer, string]>([
    ['a header that is cut short', archive.subarray(0, 100), 'it is truncated'],
    ['a file that is cut short', archive.subarray(0, 1100), 'it is truncated'],
    ['a file whose last block is cut short', archive.subarray(0, 1530), 'it is truncated'],
    [
      'a file that would end after the archive',
      forge(archive, 124, '77777777777\0'),
      'it is truncated',
    ],
    ['text', Buffer.alloc(1024, 'text'), 'it is not a tar archive'],
    [
      'a wrong checksum',
      Buffer.concat([Buffer.from('x'), archive.subarray(1)]),
      'it is not a tar archive',
    ],
    ['a size that is no number', forge(archive, 124, '9'), 'it has an invalid size'],
    ['a size below zero', forge(archive, 124, Buffer.alloc(12, 0xff)), 'it has an invalid size'],
  ])('%s', (_, bytes, reason) => {
    expect(() => list(bytes)).toThrow(refusal(reason));
  });

  test.each([
    ['no length', 'path=x\n'],
    ['too long a length', '99 path=x\n'],
    ['too short a length', '5 path=x\n'],
    ['a length of 0', '0 path=x\n'],
    ['a length of 0 after another record', '9 path=x\n0 path=y\n'],
    ['no end of line', '9 path=xy'],
    ['no key', '7 =abc\n'],
    ['a size that is no number', '10 size=-1\n'],
    ['a line break in a name', '11 path=a\nb\n'],
    ['a NUL in a name', '11 path=a\0b\n'],
    ['a long key and no value', `9 ${'k'.repeat(600)}`],
  ])('a pax header with %s', (_, data) => {
    expect(() => listOf({ path: 'x', type: 'pax', data }, { path: 'package/a' })).toThrow(
      refusal('it has an invalid pax header'),
    );
  });
});
