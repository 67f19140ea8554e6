/** The structure of a report: the same facts give the same page, which contains each of them once in a place of its own. */
import { describe, expect, test } from 'vitest';
import { composeMarkdown } from '../../../src/report/markdown.ts';
import type { Report } from '../../../src/report/model.ts';
import { composePage } from '../../../src/report/page.ts';
import { HOSTILE, makeHostileReport, makeReport } from '../../support/report-facts.ts';

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** The elements of a page, in order, and the names of all attributes. */
function readMarkup(page: string): { tags: Set<string>; attributes: Set<string> } {
  const body = page.replace(/<style>[\s\S]*?<\/style>/, '');
  const tags = [...body.matchAll(/<\/?([a-zA-Z][^\s/>]*)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*\/?>/g)];
  const attributes = tags.flatMap(([, , list = '']) =>
    [...list.matchAll(/\s([\w-]+)(?:="[^"]*")?/g)].map(([, name = '']) => name),
  );
  return { tags: new Set(tags.map(([, name = '']) => name)), attributes: new Set(attributes) };
}

test('a page notes what packages were built from', () => {
  const page = composePage(makeReport(8));
  expect(page).toContain('built from https://github.com/acme/one 0a0a0a0a0a0a<');
  expect(page).toContain('1.0.0 was built from https://github.com/acme/two');
});

describe.each([0, 1, 8, 40])('a page of %i features', (features) => {
  const report = makeReport(features);
  const page = composePage(report);

  test('has a row in the picture and details for each feature', () => {
    expect(count(page, /<a class="name" href="#feature-\d+">/g)).toBe(features);
    expect(count(page, /<details>/g)).toBe(features);
    for (const [index] of report.features.entries()) {
      expect(count(page, new RegExp(`id="feature-${index + 1}"`, 'g'))).toBe(1);
    }
  });

  test('has a line for each shared package of a feature, and a dotted one for a feature without', () => {
    const shares = report.features.flatMap(({ shared }) => shared).length;
    const alone = report.features.filter(({ shared }) => shared.length === 0).length;
    expect(count(page, /<path class="(?:ok|open|bad)"/g)).toBe(shares);
    expect(count(page, /<path class="(?:ok|open|bad) none"/g)).toBe(alone);
  });

  test('loads nothing, runs nothing, and has no link that leaves it', () => {
    expect(page).toContain(
      "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:;",
    );
    expect(page).not.toMatch(/<script|<img|<iframe|<object|<form|@import|url\(|\bsrc=/i);
    const targets = [...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target);
    expect(targets.filter((target) => !/^(?:#[\w-]+|data:,)$/.test(target ?? ''))).toEqual([]);
    for (const target of targets.filter((one) => one?.startsWith('#'))) {
      expect(page).toContain(`id="${target?.slice(1)}"`);
    }
  });

  test('has one main heading, no level left out, and headers with a scope', () => {
    const levels = [...page.matchAll(/<h([1-6])[ >]/g)].map(([, level]) => Number(level));
    expect(levels.filter((level) => level === 1)).toEqual([1]);
    for (const [index, level] of levels.entries()) {
      expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1);
    }
    expect(count(page, /<th(?! scope="(?:col|row)")[ >]/g)).toBe(0);
  });
});

test('a page without a feature says so, and names no line that it does not have', () => {
  const [none, some] = [0, 8].map((count) => composePage(makeReport(count)));
  expect(none).toContain('<p>The application declares no feature.</p>');
  expect(none).not.toContain('dotted line');
  expect(some).not.toContain('declares no feature');
});

test('hostile texts add no element and no attribute, to no page', () => {
  const plain = readMarkup(composePage(makeReport(8)));
  const hostile = readMarkup(composePage(makeHostileReport()));
  expect([...hostile.tags].filter((tag) => !plain.tags.has(tag))).toEqual([]);
  expect([...hostile.attributes].filter((name) => !plain.attributes.has(name))).toEqual([]);
});

test('hostile texts are in the page as text', () => {
  const page = composePage(makeHostileReport());
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(page).toContain('safe[U+202E]gpj.exe[U+200B][U+0000][U+001B][31m[U+000A]# heading');
});

test('the same facts give the same bytes, and a date only if one is given', () => {
  const page = composePage(makeReport(8));
  expect(composePage(makeReport(8))).toBe(page);
  const dated = composePage(makeReport(8), '2026-11-29T00:00:00Z');
  expect(dated).toContain('linux-x64-glibc at 2026-11-29T00:00:00Z.');
  expect(dated.replace(' at 2026-11-29T00:00:00Z', '')).toBe(page);
});

test('a shared package has its version in core, and the ranges that the feature needs', () => {
  const page = composePage(makeReport(1));
  expect(page).toContain('<td>1.6.0</td><td>core</td>');
  expect(page).toContain('<td>needs ^1.5.0 and &gt;=1 &lt;3</td>');
});

test('more shared packages than rows are one row, which has the lines of all of them', () => {
  const [one] = makeReport(1).features;
  if (one === undefined) throw new Error('there is no feature');
  const names = Array.from({ length: 30 }, (_, index) => `shared-${index}`);
  const report: Report = {
    ...makeReport(1),
    features: [{ ...one, shared: names.map((name) => ({ name, ranges: [] })) }],
    shared: names.map((name) => ({ name, features: [one.feature] })),
  };
  const page = composePage(report);
  expect(page).toContain('<code>7 more</code>');
  expect(count(page, /<path class="ok"/g)).toBe(24);
});

describe('as Markdown', () => {
  test('has a row for each feature, and a reason for each that is unavailable', () => {
    const report = makeReport(8);
    const lines = composeMarkdown(report).split('\n');
    expect(lines[0]).toBe('### `@acme/gateway` `4.2.0`');
    expect(lines.filter((line) => line.startsWith('| '))).toHaveLength(10);
    const refused = report.features.filter(({ refusal }) => refusal !== undefined);
    expect(lines.filter((line) => line.startsWith('- `'))).toHaveLength(refused.length);
    expect(lines).toContain(
      '| `exa-js` | ● in the store | `^1.0 \\|\\| ^2` | `1.0.0` | `1.0.0` | `zod`, `debug`, `undici` | 1 | 230 kB |',
    );
  });

  test('every row has as many cells as the head, whatever the texts are', () => {
    const lines = composeMarkdown(makeHostileReport()).split('\n');
    const rows = lines.filter((line) => line.startsWith('| '));
    expect(rows).toHaveLength(2 + HOSTILE.length);
    // As GitHub reads a row: a backslash and the character after it are one.
    for (const row of rows) expect(row.replace(/\\./g, '').split('|')).toHaveLength(10);
  });
});
