/** The page about images quotes only messages of annex, the image or Node, and commands that exist. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NAMES } from '../../../../src/cli/table/commands.ts';
import { repositoryRoot } from '../../../../test/support/package.ts';
import { PAGE, readFiles, readText } from '../support/contract/files.ts';
import { readBlocks, readQuotes } from '../support/contract/page.ts';
import { isShell } from '../support/contract/words.ts';

const files = readFiles();
const page = readText(files, PAGE);

/** Sources of messages: the code, the scripts, and a list of Node's own messages. */
const sources = [
  ...readdirSync(join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(repositoryRoot, 'src', name), 'utf8')),
  ...[...files].filter(([path, text]) => isShell(path, text)).map(([, text]) => text),
  'Cannot find module loader.mjs',
].join('\n');

/** Fixed parts of a message. */
const readParts = (quote: string): string[] =>
  quote.split(/\.\.\.|[:;,] /).flatMap((part) => part.trim() || []);

/** Lists parts of messages in the table that have no source. */
function listUnsaid(text: string): string[] {
  const [, table = ''] = text.split('| message |');
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const quotes = rows.flatMap((row) => readQuotes(row.split(' | ')[0] ?? ''));
  expect(quotes.length).toBeGreaterThan(15);
  return quotes.flatMap(readParts).filter((part) => !sources.includes(part));
}

test('messages in the table are messages of annex, the image or Node', () => {
  expect(listUnsaid(page)).toEqual([]);
  expect(listUnsaid(page.replace('is writable by everybody', 'is writable by all'))).toEqual([
    'is writable by all',
  ]);
});

test('commands on the page are commands of annex', () => {
  const code = [...readBlocks(page).map(({ text }) => text), ...readQuotes(page)].join('\n');
  const named = [...code.matchAll(/(?:^| |bin\/)annex (?!= )([a-z]+)\b/gm)].map(([, name]) => name);
  expect(named).toEqual(expect.arrayContaining(['install', 'list', 'lock']));
  expect(named.filter((name) => name === undefined || !NAMES.includes(name))).toEqual([]);
});
