import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Budget, extractTarball } from '../../../src/tarball/extract.ts';
import { writeTarball } from '../../support/tarball.ts';
import { removeTree } from '../../support/tree.ts';

const MiB = 2 ** 20;
const refusal = (reason: RegExp) =>
  expect.objectContaining({
    code: 'ANNEX_INTEGRITY',
    refusal: expect.objectContaining({ reason: expect.stringMatching(reason) }),
  });

/** Unpacks into an empty directory; `listRoot` lists its parent afterwards. */
function unpack(tarball: Buffer, budget: Budget = { files: 200_000, bytes: 2 ** 31 }) {
  const root = mkdtempSync(join(tmpdir(), 'annex-limits-'));
  onTestFinished(() => removeTree(root));
  return {
    attempt: () => extractTarball(tarball, join(root, 'it'), budget),
    listRoot: () => readdirSync(root),
  };
}

/** The tarball, with another size of what it holds in its last four bytes. */
function restate(tarball: Buffer, size: number): Buffer {
  const restated = Buffer.from(tarball);
  restated.writeUInt32LE(size, restated.length - 4);
  return restated;
}

describe('the budget of an install', () => {
  test('is lowered by files, directories and bytes of the archive', () => {
    const budget = { files: 10, bytes: 10_000 };
    const tarball = writeTarball([
      { path: 'package/lib/deep/a', data: 'abc' },
      { path: 'package/lib/b', data: 'abc' },
    ]);
    unpack(tarball, budget).attempt();
    expect(budget).toEqual({ files: 6, bytes: 10_000 - 3072 });
    unpack(tarball, budget).attempt();
    expect(unpack(tarball, budget).attempt).toThrow(refusal(/the number of files/));
  });

  test('can be used up to the last file and byte', () => {
    const tarball = writeTarball([{ path: 'package/a' }]);
    expect(unpack(tarball, { files: 1, bytes: 1536 }).attempt().files).toBe(1);
    expect(unpack(tarball, { files: 0, bytes: 1536 }).attempt).toThrow(
      refusal(/the number of files/),
    );
    expect(unpack(tarball, { files: 1, bytes: 1535 }).attempt).toThrow(refusal(/1536 bytes/));
    expect(unpack(tarball, { files: 1, bytes: 0 }).attempt).toThrow(refusal(/1536 bytes/));
  });

  test('counts directories, so that long paths cannot create more of them than the limit of files', () => {
    const path = `package/${'d/'.repeat(100)}a`;
    expect(unpack(writeTarball([{ path }]), { files: 101, bytes: MiB }).attempt().files).toBe(1);
    expect(unpack(writeTarball([{ path }]), { files: 100, bytes: MiB }).attempt).toThrow(
      refusal(/the number of files/),
    );
  });
});

describe('a bomb', () => {
  const zeros = gzipSync(Buffer.alloc(80 * MiB));

  test('with its true size is refused before anything is unpacked', () => {
    const { attempt, listRoot } = unpack(zeros);
    expect(attempt).toThrow(refusal(/^it states a size of 83886080 bytes, which is too large$/));
    expect(listRoot()).toEqual([]);
  });

  test('with a stated size beyond the budget is refused for that alone', () => {
    const small = writeTarball([{ path: 'package/a', data: 'a' }]);
    expect(unpack(restate(small, 2 ** 32 - 1)).attempt).toThrow(refusal(/4294967295 bytes/));
  });

  test('with a small stated size is refused once it exceeds it', () => {
    const { attempt, listRoot } = unpack(restate(zeros, 10_240));
    expect(attempt).toThrow(refusal(/^it does not unpack: /));
    expect(listRoot()).toEqual([]);
  });
});
