/** The code in the documents: every block has a language, parses, and names only what exists. */
import { execFileSync } from 'node:child_process';
import { Ajv } from 'ajv';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';
import { type Block, listBlocks, listDocuments, readDocument } from '../../support/documents.ts';

const isValid = new Ajv().compile(JSON.parse(readDocument('docs/annex.schema.json')));
const commands = readDocument('docs/cli.md');

const INSTRUCTION = /^(COPY|ENTRYPOINT|ENV|FROM|RUN|USER|VOLUME|WORKDIR) \S/;

/** A part of an object, such as the `annex` key alone, is completed with braces. */
function checkJson(code: string): void {
  const value = JSON.parse(/^\s*"/.test(code) ? `{${code}}` : code) as { annex?: unknown };
  if (value.annex === undefined) return;
  expect({ valid: isValid(value.annex), errors: isValid.errors }).toMatchObject({ valid: true });
}

/** Every command of annex in a script is documented. */
function checkCommands(code: string): void {
  for (const [, command = ''] of code.matchAll(/(?:^|npx |bin\/)annex ([a-z]+)/gm)) {
    expect(commands).toContain(`annex ${command}`);
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
