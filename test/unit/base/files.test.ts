/** Limits on reading files that other users may have created. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listDirectory, pathExists, readRegular, readText } from '../../../src/base/files.ts';
import { removeTree } from '../../support/tree.ts';

function openDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'annex-regular-'));
  onTestFinished(() => removeTree(dir));
  return dir;
}

/** Bytes that this process has read from files so far. */
const countRead = (): number =>
  Number(/^rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

test('a file is read up to its limit', () => {
  const path = join(openDirectory(), 'file');
  for (const text of ['', 'é', 'x'.repeat(100_000)]) {
    writeFileSync(path, text);
    const size = Buffer.byteLength(text);
    expect(readText(path, size)).toBe(text);
    expect(readRegular(path, size + 1)).toHaveLength(size);
    if (size > 0) expect(() => readRegular(path, size - 1)).toThrow(/has more than/);
  }
});

test('no byte of a file larger than its limit is read', () => {
  const path = join(openDirectory(), 'file');
  writeFileSync(path, '');
  truncateSync(path, 2 * 2 ** 30);
  const before = countRead();
  const error = expect.objectContaining({ code: 'EFBIG', path });
  expect(() => readRegular(path, 2 ** 20)).toThrow(error);
  expect(countRead() - before).toBeLessThan(10_000);
});

test('a link is followed only on request', () => {
  const dir = openDirectory();
  writeFileSync(join(dir, 'file'), 'text');
  symlinkSync('file', join(dir, 'link'));
  expect(() => readText(join(dir, 'link'), 10)).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  expect(readText(join(dir, 'link'), 10, 'follow')).toBe('text');
});

test('reading a pipe does not block, and no directory or device is read', () => {
  const dir = openDirectory();
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  mkdirSync(join(dir, 'directory'));
  for (const path of [join(dir, 'pipe'), join(dir, 'directory'), '/dev/zero', '/dev/null']) {
    for (const links of ['refuse', 'follow'] as const) {
      const code = path.endsWith('directory') ? 'EISDIR' : 'EINVAL';
      const error = expect.objectContaining({ code, path });
      expect(() => readRegular(path, 2 ** 20, links), path).toThrow(error);
    }
  }
});

test('a missing or forbidden file gives the error of the file system', () => {
  const dir = openDirectory();
  writeFileSync(join(dir, 'file'), '');
  const missing = expect.objectContaining({ code: 'ENOENT' });
  expect(() => readRegular(join(dir, 'none'), 1)).toThrow(missing);
  const below = expect.objectContaining({ code: 'ENOTDIR' });
  expect(() => readRegular(join(dir, 'file', 'x'), 1)).toThrow(below);
});

test('a path counts as existing when it does, or when an error leaves that unknown', () => {
  const dir = openDirectory();
  writeFileSync(join(dir, 'file'), '');
  symlinkSync('nowhere', join(dir, 'dangling'));
  const paths = ['file', 'dangling', 'absent', 'file/below', 'x'.repeat(300)];
  expect(paths.map((path) => pathExists(join(dir, path)))).toEqual([
    true,
    true,
    false,
    false,
    true,
  ]);
});

test('an absent directory is an empty list; every other error is thrown unless it is ignored', () => {
  const dir = openDirectory();
  mkdirSync(join(dir, 'a'));
  expect(listDirectory(dir).map(({ name }) => name)).toEqual(['a']);
  expect(listDirectory(join(dir, 'absent'))).toEqual([]);
  const long = join(dir, 'x'.repeat(300));
  expect(() => listDirectory(long)).toThrow('ENAMETOOLONG');
  expect(listDirectory(long, () => true)).toEqual([]);
});
