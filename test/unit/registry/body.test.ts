/** The body of a response: a large one is kept in a file, and none exceeds its limit. */
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isLocal, receiveBody } from '../../../src/registry/body.ts';
import { removeTree } from '../../support/tree.ts';

function openDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'annex-body-'));
  onTestFinished(() => removeTree(dir));
  return dir;
}

const chunk = Buffer.alloc(2 ** 20, 'x');

test('a small body is kept in memory, a large one in an unlinked file', () => {
  const dir = openDirectory();
  for (const count of [0, 1, 8, 9, 20]) {
    const body = receiveBody({ maxBytes: 20 * chunk.length, dir });
    for (let index = 0; index < count; index += 1) body.add(Buffer.alloc(2 ** 20, index));
    expect(readdirSync(dir)).toEqual([]);
    const whole = Buffer.concat(
      Array.from({ length: count }, (_, index) => Buffer.alloc(2 ** 20, index)),
    );
    expect(body.take().equals(whole)).toBe(true);
    body.drop();
  }
});

test('no file of another user stands in its way', () => {
  const dir = openDirectory();
  for (let at = 0; at < 100; at += 1) writeFileSync(join(dir, `.body-${process.pid}-${at}`), '');
  const body = receiveBody({ maxBytes: 20 * chunk.length, dir });
  for (let count = 0; count < 9; count += 1) body.add(chunk);
  expect(body.take()).toHaveLength(9 * chunk.length);
  body.drop();
});

test('more than the limit is refused', () => {
  const dir = openDirectory();
  for (const maxBytes of [0, 10, 2 ** 20 - 1, 10 * 2 ** 20]) {
    const body = receiveBody({ maxBytes, dir });
    const fill = () => {
      for (let size = 0; size <= maxBytes; size += chunk.length) body.add(chunk);
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'E2BIG' }));
    body.drop();
  }
});

test('an error of the disk is reported as one', () => {
  const body = receiveBody({ maxBytes: 2 ** 30, dir: join(openDirectory(), 'none') });
  for (let index = 0; index < 8; index += 1) body.add(chunk);
  let error: unknown;
  try {
    body.add(chunk);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect(isLocal(error)).toBe(true);
  expect(isLocal(new Error('other'))).toBe(false);
});
