/** docs/errors.md has the reasons in the sources, and tests compare every reason and every finding of annex doctor. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDocument } from '../../support/documents.ts';
import { repositoryRoot } from '../../support/package.ts';

/** TypeScript files below a directory: their paths, relative to it, with their texts. */
const readTypeScript = (dir: string): [path: string, text: string][] =>
  readdirSync(join(repositoryRoot, dir), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path, readFileSync(join(repositoryRoot, dir, path), 'utf8')]);

const page = readDocument('docs/errors.md');
const sources = readTypeScript('src');
const tests = readTypeScript('test')
  .filter(([path]) => path !== 'unit/project/errors.test.ts')
  .map(([, text]) => text)
  .join('\n');

/** The reasons of the headings: `... cannot be used: ...`. */
const reasons = [...page.matchAll(/^### (.*)$/gm)].flatMap(([, title = '']) =>
  [...title.matchAll(/`([^`]+)`/g)].map(([, reason = '']) => reason),
);

/** The texts of a reason between its values. */
const split = (reason: string): string[] =>
  reason
    .split('...')
    .map((part) => part.replace(/^[\s:;,.)]+|[\s:;,.()]+$/g, ''))
    .filter((part) => part.length > 4);

test('docs/errors.md has reasons', () => {
  expect(reasons.length).toBeGreaterThan(100);
});

test('docs/errors.md has the reason of each refusal in the sources; those of commands alone are not on the page', () => {
  const value = /\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}/g;
  const refusal = /\breason:\s*(['"`])(.*?)\1,\s*hint\b/g;
  const written = sources
    .filter(([path]) => !/^(?:cli|lock|report)\//.test(path))
    .flatMap(([, text]) => [...text.replaceAll(value, '...').matchAll(refusal)])
    .map(([, , reason = '']) => reason);
  expect(written.length).toBeGreaterThan(30);
  const words = page.replace(/\s+/g, ' ');
  const isThere = (reason: string): boolean => split(reason).every((part) => words.includes(part));
  expect(written.filter((reason) => !isThere(reason))).toEqual([]);
});

test('each reason is in the text of a test, so that its message is compared', () => {
  const texts = tests.replaceAll('\\', '');
  const isHeld = (reason: string): boolean => split(reason).every((part) => texts.includes(part));
  expect(reasons.filter((reason) => !isHeld(reason))).toEqual([]);
});

test('each finding of annex doctor is in a test', () => {
  const ids = sources
    .filter(([path]) => path.startsWith('cli/doctor/'))
    .flatMap(([, text]) => [
      ...text.matchAll(/\b(?:ok\(|warning\(|problem\(|refused\(|id =)\s*'([a-z.]+)'/g),
    ])
    .map(([, id = '']) => id);
  expect(ids.length).toBeGreaterThan(30);
  expect([...new Set(ids)].filter((id) => !tests.includes(`'${id}'`))).toEqual([]);
});
