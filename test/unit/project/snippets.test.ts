/** The code in the documents: every block has a language, parses, and names only what exists. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { parseCommandLine } from '../../../src/cli/table/parse.ts';
import { BLOCKS_NOT_RUN } from '../../data/blocks-not-run.ts';
import {
  type Block,
  listBlocks,
  listCode,
  listDocuments,
  readDocument,
  stripBlocks,
} from '../../support/documents.ts';
import { repositoryRoot } from '../../support/package.ts';

const isValid = new Ajv().compile(JSON.parse(readDocument('docs/annex.schema.json')));

const INSTRUCTION = /^(COPY|ENTRYPOINT|ENV|FROM|RUN|USER|VOLUME|WORKDIR) \S/;

/** A part of an object, such as the `annex` key alone, is completed with braces. */
function checkJson(code: string): void {
  const value = JSON.parse(/^\s*"/.test(code) ? `{${code}}` : code) as { annex?: unknown };
  if (value.annex === undefined) return;
  expect({ valid: isValid(value.annex), errors: isValid.errors }).toMatchObject({ valid: true });
}

/** What is wrong with the words of a command of annex. */
const findProblem = (words: string): string | undefined =>
  parseCommandLine(words.trim().split(/\s+/)).problem;

/** Every command of annex in a script parses. */
function checkCommands(code: string): void {
  for (const [, words = ''] of code.matchAll(/(?:^|npx |bin\/|exec \w+ )annex ([^\n&;|#>]*)/gm)) {
    expect({ words, problem: findProblem(words) }).toEqual({ words, problem: undefined });
  }
}

const CHECKS: Record<string, (code: string) => void> = {
  js: (code) => void parseAst(code, { lang: 'js' }),
  ts: (code) => void parseAst(code, { lang: 'ts' }),
  json: checkJson,
  sh: (code) => {
    execFileSync('sh', ['-n'], { input: code });
    checkCommands(code);
  },
  dockerfile: (code) => {
    for (const line of code.trim().split('\n')) expect(line).toMatch(INSTRUCTION);
    checkCommands(code);
  },
  yaml: (code) => expect(parseYaml(code)).toBeTypeOf('object'),
  nginx: (code) => expect(code.split('{').length).toBe(code.split('}').length),
  text: () => {},
};

const rows = ['README.md', ...listDocuments('docs')].flatMap((document) =>
  listBlocks(readDocument(document)).map((block): [string, Block] => [document, block]),
);

describe('code in the documents', () => {
  test.each(rows)('in %s: %o', (_, { language, code }) => {
    expect(Object.keys(CHECKS)).toContain(language);
    CHECKS[language]?.(code);
  });
});

test.each(['README.md', ...listDocuments('docs')])(
  'commands that the text of %s names have that name and those options',
  (document) => {
    // Headings of the page on errors quote messages.
    const text = stripBlocks(readDocument(document)).replace(/^#.*$/gm, '');
    for (const [, words = ''] of text.matchAll(/`(?:npx )?annex ([a-z-][^`]*)`/g)) {
      // The arguments are often left out.
      expect(`${words}: ${findProblem(words)}`).not.toMatch(/ is not a command| has no option /);
    }
  },
);

const folder = 'test/e2e';
/** The pages that end-to-end tests run; each of those tests compares the blocks of its page with what it runs. */
const pagesRun = readdirSync(join(repositoryRoot, folder))
  .filter((name) => /^(docs-\w+|readme)\.test\.ts$/.test(name))
  .flatMap((name) => [...readDocument(join(folder, name)).matchAll(/runPage\('([^']+)'/g)])
  .map(([, page]) => page);

test.each(['README.md', ...listDocuments('docs')])(
  'a test runs the code of %s, and blocks that are not run exist',
  (page) => {
    const ids = [...listCode(page).keys()];
    const notRun = Object.keys(BLOCKS_NOT_RUN[page] ?? {});
    expect(ids).toEqual(expect.arrayContaining(notRun));
    if (!pagesRun.includes(page)) expect(ids).toEqual(notRun);
  },
);
