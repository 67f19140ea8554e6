/** Replacing files of an application: all or none; temporary files of killed runs are found and removed. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { listTemporaries, replaceFiles, sweepTemporaries } from '../../../src/lock/replace.ts';
import { nameOwner } from '../../../src/store/owner.ts';
import { digestTree } from '../../support/tree.ts';

let root: string;
const at = (path: string): string => join(root, path);
const write = (path: string, text = path): void => {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), text);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'annex-replace-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
});

describe('replaceFiles', () => {
  test('writes all files, with their directories, and keeps the mode of those that were there', () => {
    write('package.json', 'old');
    chmodSync(at('package.json'), 0o640);
    const files = ['annex/kit/annex.json', 'annex/kit/package.json', 'package.json'];
    replaceFiles(files.map((path) => ({ path: at(path), text: `new ${path}` })));
    for (const path of files) expect(readFileSync(at(path), 'utf8')).toBe(`new ${path}`);
    expect(statSync(at('package.json')).mode & 0o777).toBe(0o640);
    expect(Object.keys(digestTree(root)).filter((path) => /\.\w+\.json\./.test(path))).toEqual([]);
  });

  test('changes nothing when one file cannot be written, and names that file', () => {
    write('package.json', 'old');
    mkdirSync(at('annex/other/annex.json'), { recursive: true });
    const before = digestTree(root);
    const paths = ['package.json', 'annex/kit/annex.json', 'annex/other/annex.json'];
    const replace = () => replaceFiles(paths.map((path) => ({ path: at(path), text: 'new' })));
    expect(replace).toThrow(
      /annex\/other\/annex\.json cannot be written \(E\w+\) \(ANNEX_STORE_UNUSABLE\)\. Now: make that path writable/,
    );
    expect(digestTree(root)).toEqual(before);
  });
});

describe('temporary files of a killed run', () => {
  /** No pid is as large. */
  const dead = nameOwner().replace(/^(\w+)\.\d+/, '$1.4999999999');
  const elsewhere = dead.replace(/\.[0-9a-f]{12}\./, '.0123456789ab.');

  test('are listed beside package.json and in locks, and swept with directories that held nothing else', () => {
    const left = [`.package.json.${dead}`, `annex/kit/.annex.json.${dead}`];
    left.push(`annex/kit/.package-lock.json.${elsewhere}`);
    for (const path of left) write(path);
    write('annex/other/annex.json');
    expect(new Set(listTemporaries(root))).toEqual(new Set(left.map(at)));
    sweepTemporaries(root);
    const kept = ['.', 'annex', 'annex/other', 'annex/other/annex.json'];
    expect(new Set(Object.keys(digestTree(root)))).toEqual(new Set(kept));
  });

  test('do not include files of a running process, or files with similar names', () => {
    const others = [
      `.package.json.${nameOwner()}`,
      '.package.json.bak',
      `package.json.${dead}`,
      `.settings.json.${dead}`,
      `annex/kit/deeper/.annex.json.${dead}`,
    ];
    for (const path of others) write(path);
    mkdirSync(at('outside'));
    write(`outside/.annex.json.${dead}`);
    symlinkSync(at('outside'), at('annex/linked'));
    const before = digestTree(root);
    expect(listTemporaries(root)).toEqual([]);
    sweepTemporaries(root);
    expect(digestTree(root)).toEqual(before);
  });
});
