/** The modules that NODE_OPTIONS and a command line preload. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findAnnexDir, isFixed, listPreloads } from '../../../src/cli/doctor/preloads.ts';
import { readWords } from '../../../src/settings/installer-env.ts';
import { repositoryRoot } from '../../support/package.ts';
import { removeTree } from '../../support/tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'annex preloads '));
const write = (name: string): string => {
  const path = join(dir, name);
  writeFileSync(path, `console.log(${JSON.stringify(path)});`);
  return path;
};

describe('listPreloads', () => {
  test('returns what Node loads, in the order in which Node loads it', () => {
    onTestFinished(() => removeTree(dir));
    const [one = '', two = '', three = '', four = ''] = ['1.mjs', '2.cjs', '3.mjs', '4.cjs'].map(
      write,
    );
    const quoted = `"${one}"`;
    const options = `--import=${quoted} -r "${two}" --max-old-space-size=512 --import "${three}" "--require=${four}"`;
    const env = { NODE_OPTIONS: options };
    const loaded = execFileSync(process.execPath, ['-e', ''], { env, encoding: 'utf8' });
    expect(loaded.trim().split('\n')).toEqual([two, four, one, three]);
    const names = listPreloads(readWords(options)).map(({ name }) => name);
    expect(names).toEqual([two, four, one, three]);
  });

  test.each([
    ['', []],
    ['--import', []],
    ["'--import=/x/loader.mjs'", []],
    ['--experimental_loader=/x.mjs', [{ flag: '--loader', name: '/x.mjs' }]],
  ])('of %s', (options, expected) => {
    expect(listPreloads(readWords(options))).toEqual(expected);
  });
});

test.each([
  ['/opt/app/node_modules/annex/loader.mjs', '/opt/app/node_modules/annex', true],
  ['file:///opt/annex/loader.mjs', '/opt/annex', true],
  [join(repositoryRoot, 'loader.mjs'), repositoryRoot, true],
  ['./loader.mjs', repositoryRoot, false],
  ['annex/loader.mjs', repositoryRoot, false],
  ['/opt/other/loader.mjs', undefined, true],
  ['file:not a path', undefined, true],
])('the copy of annex of %s', (name, expected, fixed) => {
  const preload = { flag: '--import' as const, name };
  expect(isFixed(preload)).toBe(fixed);
  expect(findAnnexDir(preload, repositoryRoot)).toBe(expected);
});
