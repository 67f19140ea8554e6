/** Unpacks a tarball into a fresh directory. */
import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Budget, extractTarball } from '../../src/tarball/extract.ts';
import { type TarEntry, writeTarball } from './tarball.ts';
import { digestTree, removeTree } from './tree.ts';

export const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
export const plenty = (): Budget => ({ files: 200_000, bytes: 2 ** 31 });
export const refusal = (reason: string | RegExp) =>
  expect.objectContaining({
    code: 'ANNEX_INTEGRITY',
    refusal: expect.objectContaining({ reason: expect.stringMatching(reason) }),
  });

/** A temporary directory, and the path of one in it that does not exist yet. */
export function openPlace(): { root: string; dir: string } {
  const root = mkdtempSync(join(tmpdir(), 'annex-extract-'));
  onTestFinished(() => removeTree(root));
  return { root, dir: join(root, 'node_modules', 'it') };
}

/** Unpacks into an empty directory, and returns the resulting files, even after an error. */
export function unpack(tarball: Buffer, budget = plenty()) {
  const { root, dir } = openPlace();
  const attempt = () => extractTarball(tarball, dir, budget);
  return { attempt, digestRoot: () => digestTree(root), digestDir: () => digestTree(dir) };
}

export const unpackEntries = (...entries: TarEntry[]) => unpack(writeTarball(entries));
