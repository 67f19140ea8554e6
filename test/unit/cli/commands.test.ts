/** The table of commands: its rows hold together, and the help is made of them. */
import { describe, expect, test } from 'vitest';
import { COMMANDS, NAMES } from '../../../src/cli/table/commands.ts';
import { GLOBAL } from '../../../src/cli/table/common-rows.ts';
import { composeHelp, composeOverview } from '../../../src/cli/table/help.ts';
import { parseCommandLine } from '../../../src/cli/table/parse.ts';
import type { Option } from '../../../src/cli/table/row.ts';
import { SETTINGS } from '../../../src/settings/table.ts';

const lines = (text: string): string[] => text.split('\n');

test('names and aliases are unique', () => {
  expect(NAMES).toHaveLength(new Set(NAMES).size);
});

test('an option takes a value for every command or for none, and has one short form', () => {
  const all: readonly Option[] = [...GLOBAL, ...COMMANDS.flatMap(({ options = [] }) => options)];
  const forms = new Map<string, object>();
  for (const { name, value, short, isRepeated } of all) {
    const form = { takesValue: value !== undefined, short, isRepeated };
    expect({ name, ...form }).toEqual({ name, ...(forms.get(name) ?? form) });
    forms.set(name, form);
  }
});

test('only the last argument can be missing or repeated', () => {
  for (const { arguments: wanted = [] } of COMMANDS) {
    for (const one of wanted.slice(0, -1)) {
      expect([one.isOptional, one.isRepeated, one.instead]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    }
  }
});

test('the module of every row exports its command', async () => {
  for (const { load } of COMMANDS) expect(await load()).toBeTypeOf('function');
});

test('variables are settings of annex, or those that npm and Node read', () => {
  const settings = Object.values(SETTINGS).flatMap((row) =>
    'variable' in row ? row.variable : [],
  );
  const foreign = COMMANDS.flatMap(({ variables }) => variables).filter(
    (name) => !settings.includes(name),
  );
  expect(new Set(foreign)).toEqual(
    new Set([
      ...['npm_config_*', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'SOURCE_DATE_EPOCH'],
      ...['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS'],
    ]),
  );
});

test.each(COMMANDS.flatMap(({ examples }) => examples))('the example parses: %s', (example) => {
  const [command = ''] = example.split(/ >>? /);
  const { row, problem } = parseCommandLine(command.split(' ').slice(1));
  expect(problem).toBeUndefined();
  expect(row?.examples).toContain(example);
});

describe('the help', () => {
  test('has one line for each command, within 80 columns', () => {
    const overview = lines(composeOverview());
    for (const { name, summary } of COMMANDS) {
      const found = overview.filter((line) => new RegExp(`^  ${name},? `).test(line));
      expect(found).toEqual([expect.stringContaining(summary)]);
    }
    expect(overview.filter((line) => line.length > 80)).toEqual([]);
  });

  test.each(COMMANDS)('of $name has everything in its row but hidden options', (row) => {
    const text = composeHelp(row);
    expect(lines(text).filter((line) => line.length > 80)).toEqual([]);
    const flat = text.replace(/\s+/g, ' ');
    const { arguments: wanted = [], options = [] } = row;
    for (const { name, summary } of wanted) {
      expect(flat).toContain(name);
      expect(flat).toContain(summary);
    }
    for (const { name, summary, default: value, isHidden } of options) {
      if (isHidden === true) expect(flat).not.toContain(`--${name}`);
      else expect(flat).toContain(`${summary}`);
      if (value !== undefined) expect(flat).toContain(`(default: ${value})`);
    }
    for (const word of [...row.examples, ...row.variables]) expect(flat).toContain(word);
  });
});
