/** Archives that only some programs pack: annex must install the same files as npm. */
import { gzipSync } from 'node:zlib';
import { signHeader, type TarEntry, writeArchive } from './tarball.ts';

const file = (path: string, data = path): TarEntry => ({ path, data });
const BLOCK = 512;
const zeros = (blocks: number): Buffer => Buffer.alloc(blocks * BLOCK);

/** An archive without the blocks of zeros at its end. */
const write = (...entries: TarEntry[]): Buffer => writeArchive(entries).subarray(0, -2 * BLOCK);

/** Archives with other bytes in the header of its first entry, and a checksum that fits. */
function forge(at: number, bytes: string, ...entries: TarEntry[]): Buffer {
  const archive = Buffer.from(write(...entries));
  archive.write(bytes, at, 'latin1');
  signHeader(archive);
  return archive;
}

/** The package.json that every package needs, under a given prefix. */
const manifest = (name: string, prefix = 'package'): TarEntry =>
  file(`${prefix}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'main.js' }));

/** Makes an archive for a package of that name. */
type Pack = (name: string) => Buffer;

/** With entries after the package.json. */
const withEntries =
  (...entries: TarEntry[]): Pack =>
  (name) =>
    gzipSync(writeArchive([manifest(name), file('package/main.js'), ...entries]));

/** With any blocks after the package.json; the archive has no end. */
const withBlocks =
  (...blocks: Buffer[]): Pack =>
  (name) =>
    gzipSync(Buffer.concat([write(manifest(name)), ...blocks, zeros(2)]));

const long = `package/${'directory/'.repeat(24)}file.js`;

/** Archives that npm installs. */
export const ACCEPTED: Record<string, Pack> = {
  'a dot in its paths': withEntries(file('package/./dist/index.js'), file('package/a/././b.js')),
  'a dot before its prefix': (name) =>
    gzipSync(writeArchive([manifest(name, '.'), file('./lib/a.js')])),
  'two slashes in its paths': withEntries(file('package//x.js'), file('package/lib//x.js')),
  'one file twice, with equal bytes': withEntries(
    file('package/a.js', 'same'),
    file('package/./a.js', 'same'),
  ),
  'one file twice, with other bytes and rights': withEntries(
    { ...file('package/a.js', 'first, and longer'), mode: 0o755 },
    file('package/a.js', 'later'),
    file('package/b.js', 'first'),
    { ...file('package/b.js', 'later'), mode: 0o755 },
  ),
  'names that differ in case alone': withEntries(
    file('package/lib/Index.js'),
    file('package/lib/index.js'),
    file('package/Lib/other.js'),
  ),
  'names that differ in their Unicode form alone': withEntries(
    file('package/caf\u00e9'),
    file('package/cafe\u0301'),
  ),
  'control characters in its names': withEntries(
    file('package/a\x1b[2Jb'),
    file('package/tab\there'),
    file('package/carriage\rreturn'),
    file('package/delete\x7f'),
    file('package/next\u0085line'),
  ),
  'line breaks in its names': withEntries(
    file('package/two\nlines'),
    file('package/back\\slash\nand\nmore'),
    file(`package/x\n${'0'.repeat(64)}  y`),
    file('package/plain\\n'),
  ),
  'no compression': (name) => writeArchive([manifest(name), file('package/main.js')]),
  'another prefix': (name) => gzipSync(writeArchive([manifest(name, name), file(`${name}/a.js`)])),
  'several prefixes': (name) =>
    gzipSync(writeArchive([manifest(name, 'one'), file('two/a.js'), file('three/b/c.js')])),
  'files beside its prefix': withEntries(file('beside'), file('..')),
  'links, inside and out': withEntries(
    { path: 'package/test/absolute', type: 'symlink', target: '/etc/passwd' },
    { path: 'package/test/above', type: 'symlink', target: '../../../../..' },
    { path: 'package/test/inside', type: 'symlink', target: '../main.js' },
    { path: 'package/test/hard', type: 'hardlink', target: '/etc/passwd' },
    { path: '/package/test/away', type: 'symlink', target: `${'../'.repeat(50)}etc/passwd` },
    { path: 'package/main.js', type: 'symlink', target: '/dev/null' },
    { path: 'package/directory', type: 'symlink', target: '/tmp' },
    file('package/directory/a.js'),
  ),
  'special files': withEntries(
    { path: 'package/test/fifo', type: 'fifo' },
    { path: 'package/test/tty', type: 'character' },
    { path: 'package/test/disk', type: 'block' },
    { path: '../../../fifo', type: 'fifo' },
  ),
  directories: withEntries(
    { path: 'package/', type: 'directory' },
    { path: 'package/empty/', type: 'directory' },
    { path: 'package/old/' },
    { path: 'package/lib', type: 'directory' },
    file('package/lib/a.js'),
  ),
  'long names in pax headers': withEntries(file(long), {
    ...file('package/x'),
    pax: { path: 'package/y' },
  }),
  'long names of GNU': withEntries({ ...file(long), longNames: 'gnu' }, file('package/next.js')),
  'headers of Solaris': withBlocks(
    write(
      { path: 'package/x', type: 'oldPax', data: '18 path=package/y\n' },
      file('package/z', 'y'),
      { path: 'package/x', type: 'oldLongName', data: `${long}\0` },
      file('package/z', 'long'),
    ),
  ),
  'the header of git archive': (name) =>
    gzipSync(
      writeArchive([
        { path: 'pax_global_header', type: 'global', data: '52 comment=7b29e1c\n' },
        manifest(name, `${name}-1.0.0`),
      ]),
    ),
  'one block of zeros in its middle': withBlocks(
    zeros(1),
    write(file('package/main.js')),
    zeros(1),
    write(file('package/last.js')),
  ),
  'something behind its end': withBlocks(zeros(2), write(file('package/behind.js'))),
  'no end': (name) => gzipSync(write(manifest(name), file('package/main.js'))),
  'roots of Windows in its names': withEntries(
    file('package/c:/a.js'),
    file('package/c:b.js'),
    file('package/\\c.js'),
    file('package/d/c:e.js'),
    file('package/\\\\host\\share\\f.js'),
  ),
  'a prefix in a header that is not ustar': withBlocks(
    forge(257, 'ustar\x0001', file(`package/${'d'.repeat(100)}/a.js`)),
  ),
  'a number between spaces': (name) =>
    gzipSync(forge(124, '000  1\0', { path: `${name}/package.json`, data: '' }, manifest(name))),
  'rights of nobody, and all of them': withEntries(
    { ...file('package/none'), mode: 0 },
    { ...file('package/group'), mode: 0o010 },
    { ...file('package/all'), mode: 0o7777 },
  ),
};

/** Archives that annex refuses. */
export interface Refused {
  pack: Pack;
  reason: RegExp;
  /** Additional files that npm installs without a warning, besides package.json and main.js. */
  npm?: string[];
}

/** npm leaves out a file of these, or puts it in a wrong place. */
export const REFUSED: Record<string, Refused> = {
  'a path that leads up': {
    pack: withEntries(file('package/../a.js')),
    reason: /a path out of the package, package\/\.\.\/a\.js/,
  },
  'a path that leads up and down again': {
    pack: withEntries(file('package/lib/../a.js')),
    reason: /a path out of the package/,
  },
  'a path that leads up between backslashes': {
    pack: withEntries(file('package/lib\\..\\..\\a.js')),
    reason: /a path out of the package/,
  },
  'a path that leads up behind a root of Windows': {
    pack: withEntries(file('package/c:../a.js')),
    reason: /a path out of the package/,
  },
  'an absolute path': {
    pack: withEntries(file('/etc/passwd')),
    reason: /a path out of the package, \/etc\/passwd/,
    npm: ['etc/passwd'],
  },
  'a path beside the package': {
    pack: withEntries(file('../a.js')),
    reason: /a path out of the package/,
    npm: ['a.js'],
  },
  'a file where a directory is': {
    pack: withEntries(file('package/lib/a.js'), file('package/lib')),
    reason: /lib as a file and as a directory/,
    npm: ['lib/a.js'],
  },
  'a directory where a file is': {
    pack: withEntries(file('package/lib'), file('package/lib/a.js')),
    reason: /lib as a file and as a directory/,
    npm: ['lib'],
  },
  'a sparse file': {
    pack: withEntries({ ...file('package/a.js'), type: 'sparse' }),
    reason: /a file of type S, package\/a\.js/,
  },
  'a file that is a link as well': {
    pack: withEntries({ ...file('package/a.js', ''), target: 'main.js' }),
    reason: /package\/a\.js as a file and as a link/,
  },
  'a file without a name': {
    pack: withBlocks(forge(0, '\0\0\0', { path: 'abc' })),
    reason: /a file without a name/,
  },
  'a line break in a pax header': {
    pack: withEntries({ ...file('package/a.js'), pax: { path: 'package/two\nlines' } }),
    reason: /an invalid pax header/,
    npm: ['a.js'],
  },
  'a header that is damaged': {
    pack: (name) => {
      const archive = write(manifest(name), file('package/main.js'), file('package/last.js'));
      archive.write('x', 2 * BLOCK);
      return gzipSync(Buffer.concat([archive, zeros(2)]));
    },
    reason: /is not a tar archive/,
    npm: ['last.js'],
  },
  'a path of too many directories': {
    pack: withEntries(file(`package/${'d/'.repeat(1100)}a.js`)),
    reason: /a path that is too deep/,
  },
};
