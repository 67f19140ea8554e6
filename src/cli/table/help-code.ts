/** Explains the code of an error: its section of docs/errors.md as plain text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wrap } from '../../base/layout.ts';
import { HERE, version } from '../../base/own-files.ts';
import { refuse } from '../shared/command.ts';
import type { Look } from '../shared/terminal.ts';

/** The page on errors. */
const PAGE = join(HERE ?? '', '..', 'docs', 'errors.md');

/**
 * Reads the sections of the page, by code.
 *
 * @throws AnnexError when this copy of annex lacks the page
 * @example readCodes().has('ANNEX_OFFLINE')
 */
export function readCodes(path: string = PAGE): Map<string, string> {
  let page: string;
  try {
    page = readFileSync(path, 'utf8');
  } catch {
    const reason = `${path} cannot be read: this copy of annex ${version} is incomplete`;
    throw refuse(reason, 'ship all files of the package annex', 'ANNEX_INSTALL_FAILED');
  }
  const sections = page.split(/^## /m).map((text) => [text.split('\n', 1)[0] ?? '', text] as const);
  return new Map(sections.filter(([title]) => title.startsWith('ANNEX_')));
}

/**
 * Renders a section without Markdown: headings, and below them paragraphs that fit the width.
 *
 * @example composeCode(section, { width: 80, head: (title) => title })
 */
export function composeCode(section: string, { width, head }: Look): string {
  const [code = '', ...blocks] = section.trim().split(/\n{2,}/);
  const rendered = blocks.map((block) => {
    if (block.startsWith('### ')) return wrap(block.slice(4).replaceAll('`', ''), width).map(head);
    const texts = block.startsWith('|') ? listRows(block) : [block.replaceAll('\n', ' ')];
    return texts.flatMap((text) => wrap(nameLinks(text), width - 2)).map((line) => `  ${line}`);
  });
  const end = wrap(`This is a section of ${PAGE}.`, width);
  return [[head(code)], ...rendered, end].map((lines) => lines.join('\n')).join('\n\n');
}

/** The rows of a table, each as an item. */
const listRows = (table: string): string[] =>
  table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').slice(1, -1))
    .map((cells) => `- ${cells.map((cell) => cell.trim()).join(': ')}`);

/** @example nameLinks('see [the rules](lock.md#rules)') // 'see the rules (lock.md)' */
const nameLinks = (text: string): string =>
  text.replace(/\[([^\]]+)\]\(([^)#]+)[^)]*\)/g, (_, name: string, file: string) =>
    name === file ? name : `${name} (${file})`,
  );
