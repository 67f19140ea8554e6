/** Directories of an entry that cannot be listed: an added one is damage only if Node can load from it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readContents } from '../../../src/store/contents.ts';
import { readEntryManifest } from '../../../src/store/manifest.ts';
import { type Difference, findDifferences } from '../../../src/store/verify.ts';
import { plantEntry } from '../../support/entry.ts';
import { cjsPackage } from '../../support/fixtures.ts';
import { removeTree } from '../../support/tree.ts';
import { callAsPlainUser } from '../../support/user.ts';

const CACHE = 'node_modules/kit/.cache';

function open() {
  const root = mkdtempSync(join(tmpdir(), 'annex-differences-'));
  onTestFinished(() => removeTree(root));
  chmodSync(root, 0o755);
  const entry = plantEntry(join(root, 'store'), {
    feature: 'kit',
    packages: [cjsPackage('kit', '1.0.0', 'sound')],
    specs: { kit: '*' },
  });
  mkdirSync(join(entry, CACHE));
  const manifest = readEntryManifest(entry);
  const contents = manifest && readContents(entry, manifest, undefined);
  if (contents === undefined || typeof contents === 'string') throw new Error(contents);
  const find = (isWatched: boolean, onHarmless?: (path: string) => void): Difference[] =>
    findDifferences(entry, contents, {
      depth: 'all',
      isWatched,
      ...(onHarmless && { onHarmless }),
    });
  return { entry, find };
}

describe.each([true, false])('every load is watched: %s', (isWatched) => {
  const forbid = (path: string, mode: number): Difference[] => {
    const { entry, find } = open();
    const directory = join(entry, path);
    chmodSync(directory, mode);
    onTestFinished(() => chmodSync(directory, 0o755));
    return callAsPlainUser(() => find(isWatched));
  };

  test('an added directory that this user can neither list nor search is harmless', () => {
    expect(forbid(CACHE, 0o000)).toEqual([]);
  });

  test('an added directory that this user can search is damage', () => {
    expect(forbid(CACHE, 0o111)).toEqual([{ path: CACHE, problem: 'unreadable' }]);
  });

  test('an installed directory must be readable; its files do not count as missing', () => {
    const path = 'node_modules/kit/lib';
    expect(forbid(path, 0o000)).toEqual([{ path, problem: 'unreadable' }]);
  });

  test('an added directory that is removed during the comparison is harmless', () => {
    const { entry, find } = open();
    const seen: string[] = [];
    const tidy = (path: string): void => {
      seen.push(path);
      rmSync(join(entry, path), { recursive: true });
    };
    expect(find(isWatched, tidy)).toEqual([]);
    expect(seen).toEqual([CACHE]);
  });

  test('an added directory whose name is not UTF-8 is harmless', () => {
    const { entry, find } = open();
    mkdirSync(Buffer.concat([Buffer.from(join(entry, CACHE, 'caf')), Buffer.from([0xe9])]));
    mkdirSync(
      Buffer.concat([Buffer.from(join(entry, 'node_modules/kit/caf')), Buffer.from([0xe9])]),
    );
    expect(find(isWatched)).toEqual([]);
  });

  test('an added directory that is too deep for a path is harmless', () => {
    const { entry, find } = open();
    const before = process.cwd();
    try {
      process.chdir(join(entry, CACHE));
      const name = 'x'.repeat(200);
      for (let depth = 0; depth < 25; depth++) {
        mkdirSync(name);
        process.chdir(name);
      }
    } finally {
      process.chdir(before);
    }
    expect(find(isWatched)).toEqual([]);
    execFileSync('rm', ['-rf', join(entry, CACHE)]);
  });
});
