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

/** The values that a part of a schema lists. */
function listValues(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const { enum: values = [], const: value } = part as Record<string, unknown[]>;
  return [...[...values, value].map(String), ...Object.values(part).flatMap(listValues)];
}

/** The names of all fields in a part of a schema. */
function listFields(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const { properties = {} } = part as Record<string, object>;
  return [...Object.keys(properties), ...Object.values(part).flatMap(listFields)];
}

test('docs/json.md has each field of docs/cli.schema.json, with its command, and no name that the schema does not have', () => {
  const schema = JSON.parse(readDocument('docs/cli.schema.json')) as {
    definitions: Record<string, { properties?: object }>;
  };
  const page = readDocument('docs/json.md');
  const name = /`(\w+)`/g;
  const fields = [...new Set(listFields(schema))];
  const codes = ['null', 'ANNEX_USAGE', 'ANNEX_UNEXPECTED', 'EACCES'];
  const known = [...fields, ...listValues(schema), ...codes];
  const named = [...page.matchAll(name)].map(([, word = '']) => word);
  expect(named.filter((word) => !known.includes(word))).toEqual([]);
  expect(fields.filter((field) => !named.includes(field))).toEqual([]);
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const find = (command: string) =>
    rows.filter((line) => new RegExp(`^\\|[^|]*\`${command}[ \`]`).test(line)).join('\n');
  for (const { name: command } of COMMANDS) {
    const { properties = {} } = schema.definitions[command] ?? {};
    const own = find(command);
    // `init` has its fields as `add`.
    const like = [...own.matchAll(/\bas (?:of )?`(\w+)`/g)].map(([, other = '']) => find(other));
    const text = [page.slice(0, page.indexOf('## Errors')), own, ...like].join('\n');
    const missing = Object.keys(properties).filter((field) => !text.includes(`\`${field}\``));
    expect({ command, missing }).toEqual({ command, missing: [] });
  }
});
