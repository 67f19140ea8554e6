import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  composePadding,
  composeTarHeader,
  TAR_END,
  type TarMember,
} from '../../../src/tarball/compose-tar.ts';
import { readTar } from '../../../src/tarball/tar.ts';

type Written = Omit<TarMember, 'size'> & { body?: string };

const compose = (members: Written[]): Buffer =>
  Buffer.concat([
    ...members.flatMap(({ body = '', ...member }) => {
      const bytes = Buffer.from(body);
      const size = bytes.length;
      return [composeTarHeader({ ...member, size }), bytes, composePadding(size)];
    }),
    TAR_END,
  ]);

const list = (archive: Buffer): string[] =>
  execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--quoting-style=literal'], {
    input: archive,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
  })
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/ +/g, ' '));

const files: [string, string][] = [
  ['a name', 'v1/any/ms.0/index.js'],
  ['a name of 100 bytes', `v1/${'n'.repeat(97)}`],
  ['a name of 101 bytes', `v1/${'n'.repeat(98)}`],
  ['a long path', `v1/${'directory/'.repeat(60)}file.js`],
  ['a name beyond ASCII', 'v1/é/日本.js'],
  ['a long name beyond ASCII', `v1/${'日本/'.repeat(60)}a.js`],
  ['a name with a space, a quote and a backslash', `v1/a 'b\\.js`],
  // The length of a record counts its own digits: no record has 100 bytes.
  ['a record of 99 bytes', `v1/é${'n'.repeat(85)}`],
  ['a record of 101 bytes', `v1/é${'n'.repeat(86)}`],
];

describe('GNU tar and the reader of annex read back', () => {
  test.each(files)('%s', (_, path) => {
    const body = 'x'.repeat(513);
    const next: Written = { path: 'v2', type: 'file', mode: 0o555, body: 'next' };
    const archive = compose([{ path, type: 'file', mode: 0o444, body }, next]);
    expect(list(archive)).toEqual([
      `-r--r--r-- 0/0 513 1970-01-01 00:00 ${path}`,
      '-r-xr-xr-x 0/0 4 1970-01-01 00:00 v2',
    ]);
    const read = [...readTar(archive)].map((file) => [file.path, file.mode, `${file.body}`]);
    expect(read).toEqual([
      [path, 0o444, body],
      ['v2', 0o555, 'next'],
    ]);
  });

  test.each(['target', `${'../'.repeat(50)}target`, 'é'])('a link to %s', (target) => {
    const archive = compose([{ path: 'v1/link', type: 'link', mode: 0o777, target }]);
    expect(list(archive)).toEqual([`lrwxrwxrwx 0/0 0 1970-01-01 00:00 v1/link -> ${target}`]);
  });

  test.each(['v1', `v1/${'directory/'.repeat(20)}d`])('the directory %s', (path) => {
    const archive = compose([{ path, type: 'directory', mode: 0o755 }]);
    expect(list(archive)).toEqual([`drwxr-xr-x 0/0 0 1970-01-01 00:00 ${path}/`]);
  });

  test('a file whose size has more than eleven octal digits', () => {
    const size = 8 ** 11;
    const header = composeTarHeader({ path: 'big', type: 'file', mode: 0o444, size });
    const dir = mkdtempSync(join(tmpdir(), 'annex-tar-'));
    try {
      // A hole stands for the body; an archive may end with it.
      const script = 'cat >archive; truncate -s +8G archive; tar -tvf archive --numeric-owner';
      const listed = execFileSync('sh', ['-c', script], { cwd: dir, input: header });
      expect(`${listed}`.replace(/ +/g, ' ')).toMatch(`-r--r--r-- 0/0 ${size} `);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

test('equal members give equal bytes, which name no user and no time', () => {
  const header = composeTarHeader({ path: 'a', type: 'file', mode: 0o444, size: 1 });
  expect(header).toEqual(composeTarHeader({ path: 'a', type: 'file', mode: 0o444, size: 1 }));
  expect(header.toString('latin1').replaceAll('\0', '.')).toBe(
    `a${'.'.repeat(99)}0000444.0000000.0000000.00000000001.00000000000.007335. 0${'.'.repeat(100)}ustar.00${'.'.repeat(64)}0000000.0000000.${'.'.repeat(167)}`,
  );
});
