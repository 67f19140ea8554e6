/** Fenced blocks and inline code of Markdown pages. */

/** A fenced block. */
export interface Block {
  /** `sh`, `dockerfile`, ...; may be empty. */
  language: string;
  text: string;
  /** The line of text above it. */
  caption: string;
  /** Line number of its first line, from 1. */
  line: number;
}

/** All fenced blocks of a page, in order. */
export function readBlocks(page: string): Block[] {
  const blocks: Block[] = [];
  let caption = '';
  let open: Block | undefined;
  for (const [index, line] of page.split('\n').entries()) {
    if (open !== undefined && line === '```') {
      blocks.push(open);
      open = undefined;
    } else if (open !== undefined) {
      open.text += `${line}\n`;
    } else if (line.startsWith('```')) {
      open = { language: line.slice(3), text: '', caption, line: index + 2 };
    } else if (line !== '') {
      caption = line;
    }
  }
  return blocks;
}

/** A page without its fenced blocks. */
export const readProse = (page: string): string =>
  page.replace(/^```.*\n(?:[^`].*\n|\n)*```$/gm, '');

/** Inline code of the prose, in order. */
export const readQuotes = (page: string): string[] =>
  [...readProse(page).matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.replace(/\s+/g, ' '));

/** Files on a page: blocks under a path such as `/etc/NAME`, executable: */
export function readGivenFiles(page: string): Map<string, { block: Block; isExecutable: boolean }> {
  const given = new Map<string, { block: Block; isExecutable: boolean }>();
  for (const block of readBlocks(page)) {
    const [, path, executable] = /^`(\/[^`]+)`(, executable)?:$/.exec(block.caption) ?? [];
    if (path !== undefined) given.set(path, { block, isExecutable: executable !== undefined });
  }
  return given;
}
