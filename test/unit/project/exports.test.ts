/** What a module exports is used elsewhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../support/package.ts';

/** Modules that Node, bundlers and applications import. */
const ENTRIES = [
  'src/index.ts',
  'src/jest.ts',
  'src/vite.ts',
  // Node calls `initialize`.
  'src/hooks/import-node20.ts',
];

const files = ['src', 'test'].flatMap((dir) =>
  readdirSync(join(repositoryRoot, dir), { encoding: 'utf8', recursive: true })
    .filter((name) => /\.(?:ts|mjs)$/.test(name))
    .map((name) => join(dir, name)),
);
const words = new Map(
  files.map((file) => {
    const text = readFileSync(join(repositoryRoot, file), 'utf8');
    return [file, { text, all: new Set(text.match(/[\w$]+/g)) }] as const;
  }),
);

const EXPORTED = /^export (?:async )?(?:const|function|class) (\w+)/gm;

test('another file uses every value that a module exports', () => {
  const modules = files.filter((file) => !ENTRIES.includes(file) && !file.endsWith('.test.ts'));
  const unused = modules.flatMap((file) =>
    [...(words.get(file)?.text ?? '').matchAll(EXPORTED)]
      .map(([, name = '']) => name)
      .filter((name) => ![...words].some(([other, { all }]) => other !== file && all.has(name)))
      .map((name) => `${name} in ${file}`),
  );
  expect(unused).toEqual([]);
});
