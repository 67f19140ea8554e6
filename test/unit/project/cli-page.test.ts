/** The documents of the command line have every command of the table. */
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/table/commands.ts';
import { composePage } from '../../support/cli-page.ts';
import { readDocument } from '../../support/documents.ts';

test('docs/cli.md has every row of the table (run with -u after a change)', async () => {
  await expect(composePage()).toMatchFileSnapshot('../../../docs/cli.md');
});

test('docs/json.md and docs/cli.schema.json describe every command, but those that print the JSON of npm', () => {
  const { definitions, anyOf } = JSON.parse(readDocument('docs/cli.schema.json')) as {
    definitions: object;
    anyOf: { $ref: string }[];
  };
  const refs = anyOf.map(({ $ref }) => $ref.replace('#/definitions/', ''));
  expect(Object.keys(definitions)).toEqual(expect.arrayContaining(refs));
  const page = readDocument('docs/json.md');
  for (const { name } of COMMANDS.filter(({ name }) => name !== 'audit' && name !== 'sbom')) {
    const isListed = new RegExp(`^\\|[^|]*\`${name}[ \`]`, 'm').test(page);
    expect({ name, isListed, hasSchema: refs.includes(name) }).toEqual({
      name,
      isListed: true,
      hasSchema: true,
    });
  }
});
