/** Each guarantee and each field failure has a test that names it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fieldFailures } from '../../data/field-failures.ts';
import { guarantees } from '../../data/guarantees.ts';
import { repositoryRoot } from '../../support/package.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');

test.each(Object.entries(guarantees))('%s is the title of its file', (guarantee, path) => {
  expect(read(path)).toContain(guarantee);
});

test.each(fieldFailures)('%s: a test in %s', (_, file, title) => {
  expect(read(`${file}.test.ts`)).toContain(title);
});

test('there are 43 field failures', () => {
  expect(fieldFailures).toHaveLength(43);
});
