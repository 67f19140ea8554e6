/** The Markdown of `annex report`, as GitHub's parser reads it: texts of others are code, whatever they are. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { composeMarkdown } from '../../src/report/markdown.ts';
import type { Report } from '../../src/report/model.ts';
import { makeHostileReport, makeReport } from '../support/report-facts.ts';

const PARSER = 'cmark-gfm';
const EXTENSIONS = ['table', 'autolink', 'strikethrough'].flatMap((name) => ['-e', name]);
/** Characters that mean something in Markdown, in a table or on GitHub. */
const CHARACTERS = [
  '`',
  '|',
  '\\',
  '*',
  '_',
  '~',
  '[',
  ']',
  '(',
  '<b>',
  '@x',
  '#1',
  ' ',
  'a',
  '\n',
];

function toHtml(report: Report): string {
  const input = composeMarkdown(report);
  const { status, stdout } = spawnSync(PARSER, ['--unsafe', ...EXTENSIONS], { input });
  expect(status).toBe(0);
  return stdout.toString();
}

const listTags = (html: string): Set<string> =>
  new Set([...html.matchAll(/<([a-z0-9]+)/g)].map(([, name = '']) => name));

/** The number of cells in each row. */
const countCells = (html: string): number[] =>
  html.split('<tr>').map((row) => row.match(/<t[dh]>/g)?.length ?? 0);

describe.runIf(spawnSync(PARSER, ['--version']).status === 0)('in the parser of GitHub', () => {
  const usual = toHtml(makeReport(8));

  test('it is a heading, a table with a row for each feature, and a list of reasons', () => {
    expect(countCells(usual)).toEqual([0, 8, ...makeReport(8).features.map(() => 8)]);
    expect(usual.match(/<li>/g)).toHaveLength(2);
    expect(usual).toContain('<code>^1.0 || ^2</code>');
  });

  test('hostile texts make no element', () => {
    expect(listTags(toHtml(makeHostileReport()))).toEqual(listTags(usual));
  });

  test('no combination of characters makes an element or a cell', () => {
    const names = fc.sample(fc.string({ unit: fc.constantFrom(...CHARACTERS) }), {
      numRuns: 1_000,
      seed: 1,
    });
    const { features, ...report } = makeReport(7);
    const [, , , , , , denied] = features;
    if (denied === undefined) throw new Error('there is no feature that is denied');
    const all = names.map((name) => ({
      ...denied,
      feature: name,
      packages: { [name]: { range: name, where: denied.where } },
      shared: [1, 2].map(() => ({ name, ranges: [name] })),
      refusal: { code: 'ANNEX_DENIED' as const, reason: name, hint: name },
    }));
    const html = toHtml({ ...report, features: all });
    expect(listTags(html)).toEqual(listTags(usual));
    expect(countCells(html)).toEqual([0, 8, ...names.map(() => 8)]);
  });
});
