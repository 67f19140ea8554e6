/** The Markdown documents of the project: their code blocks, headings and links. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './package.ts';

/** Reads a file of the repository. */
export const readDocument = (path: string): string =>
  readFileSync(join(repositoryRoot, path), 'utf8');

/** The Markdown files of a folder of the repository, by path. */
export const listDocuments = (folder: string): string[] =>
  readdirSync(join(repositoryRoot, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

/** A fenced block of code. */
export interface Block {
  /** The nearest heading above it. */
  section: string;
  language: string;
  code: string;
}

/** The fenced blocks of a document, in order. */
export function listBlocks(text: string): Block[] {
  let section = '';
  return [...text.matchAll(/^#+ (.*)$|^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, title, language = '', code = '']) => {
      section = title ?? section;
      return title === undefined ? { section, language, code } : [];
    },
  );
}

const RUNNABLE = ['js', 'ts', 'sh', 'json', 'dockerfile', 'yaml'];

/** The blocks of a document that are code, by section and language; a number follows from the second on. */
export function listCode(page: string): Map<string, string> {
  const blocks = new Map<string, string>();
  for (const { section, language, code } of listBlocks(readDocument(page))) {
    if (!RUNNABLE.includes(language)) continue;
    const id = `${section}: ${language}`;
    const same = [...blocks.keys()].filter((one) => one === id || one.startsWith(`${id} `));
    blocks.set(same.length === 0 ? id : `${id} ${same.length + 1}`, code);
  }
  return blocks;
}

/** A document without its fenced blocks. */
export const stripBlocks = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

/**
 * The anchors of a document's headings, as GitHub makes them.
 *
 * @example listAnchors('## Keys of package.json') // ['keys-of-packagejson']
 */
export function listAnchors(text: string): string[] {
  const counts = new Map<string, number>();
  return [...stripBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => {
    const anchor = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** The targets of a document's links and pictures. */
export const listLinks = (text: string): string[] =>
  [...stripBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

/**
 * The cells of the first table below a heading row, without their markup.
 *
 * @example readTable('| a |\n|---|\n| `b` |\n', '| a |') // [['b']]
 */
export function readTable(text: string, head: string): string[][] {
  const [, table = ''] = text.split(`${head}\n`);
  const lines = table.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(1, end).map((line) =>
    line
      .replaceAll('`', '')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
