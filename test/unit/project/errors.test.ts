/** Every reason in docs/errors.md is the text of a test. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDocument } from '../../support/documents.ts';
import { repositoryRoot } from '../../support/package.ts';

/** The reasons of the headings: `... cannot be used: ...`. */
const reasons = [...readDocument('docs/errors.md').matchAll(/^### (.*)$/gm)].flatMap(
  ([, title = '']) => [...title.matchAll(/`([^`]+)`/g)].map(([, reason = '']) => reason),
);

/** The texts of a reason between its values. */
const split = (reason: string): string[] =>
  reason
    .split('...')
    .map((part) => part.replace(/^[\s:;,.]+|[\s:;,.()]+$/g, ''))
    .filter((part) => part.length > 4);

test('docs/errors.md has reasons', () => {
  expect(reasons.length).toBeGreaterThan(100);
});

test('each of them is in the text of a test, so that its message is compared', () => {
  const files = readdirSync(join(repositoryRoot, 'test'), { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('project/errors.test.ts'))
    .map((file) => readFileSync(join(repositoryRoot, 'test', file), 'utf8'))
    .join('\n')
    .replaceAll('\\', '');
  const isHeld = (reason: string): boolean => split(reason).every((part) => texts.includes(part));
  expect(reasons.filter((reason) => !isHeld(reason))).toEqual([]);
});
