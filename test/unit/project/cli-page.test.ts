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

/** The names of all fields in a part of a schema, and the values that it lists. */
function collectWords(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const { properties = {}, enum: values = [], const: value } = part as Record<string, object>;
  const own = [...Object.keys(properties), ...(values as unknown[]), value].map(String);
  return [...own, ...Object.values(part).flatMap(collectWords)];
}

test('docs/json.md has each field of a command in docs/cli.schema.json, and no name that the schema does not have', () => {
  const schema = JSON.parse(readDocument('docs/cli.schema.json')) as {
    definitions: Record<string, { properties?: object }>;
  };
  const page = readDocument('docs/json.md');
  const name = /`(\w+)`/g;
  const known = [...collectWords(schema), 'null', 'ANNEX_USAGE', 'ANNEX_UNEXPECTED', 'EACCES'];
  const named = [...page.matchAll(name)].map(([, word = '']) => word);
  expect(named.filter((word) => !known.includes(word))).toEqual([]);
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
