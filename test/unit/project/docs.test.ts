/** Compares the documents with the code: they have exactly the names that the code has. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COLUMNS, KEYS, type Row, SETTINGS } from '../../../src/settings/table.ts';
import { LAYERS } from '../../data/layers.ts';
import { listDocuments, readDocument as read, readTable } from '../../support/documents.ts';
import { repositoryRoot } from '../../support/package.ts';

/** All matches of the first group, each once, sorted. */
const collect = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort();

const configuration = read('docs/configuration.md');
const errors = read('docs/errors.md');

const rows: Row<unknown>[] = KEYS.map((key) => SETTINGS[key] as Row<unknown>);

const describeDefault = ({ unset, default: value }: Row<unknown>): string =>
  unset ?? (Array.isArray(value) ? value.join(', ') || 'none' : String(value));

test('the page on configuration has each variable and key, its default and its sentence', () => {
  const head =
    "| environment variable | key of the operator's file | key of `package.json` | default | meaning |";
  const outside = rows.filter(({ variable, operatorKey }) => variable ?? operatorKey);
  expect(readTable(configuration, head)).toEqual(
    outside.map(({ variable = '', operatorKey = '', manifestKey, ...row }) => [
      variable,
      operatorKey,
      manifestKey === undefined ? '' : `annex.${manifestKey}`,
      describeDefault(row),
      row.text,
    ]),
  );
  const declared = rows.filter(({ manifestKey }) => manifestKey !== undefined);
  expect(readTable(configuration, '| key | default | meaning |')).toEqual(
    declared.map(({ manifestKey, ...row }) => [manifestKey, describeDefault(row), row.text]),
  );
});

test('the page on errors lists every code, and no other, with a section for each', () => {
  const codes = collect(read('src/types.ts'), /\| '(ANNEX_[A-Z_]+)'/g);
  expect(codes).toHaveLength(10);
  expect(collect(errors, /^\| \[`(ANNEX_[A-Z_]+)`\]/gm)).toEqual(codes);
  expect(collect(errors, /^## (ANNEX_[A-Z_]+)$/gm)).toEqual(codes);
});

test('the page on errors explains every reason', () => {
  const files = readdirSync(join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' });
  const reasons = files
    .filter((file) => /^(?!cli|lock).*\.ts$/.test(file))
    .flatMap((file) => collect(read(join('src', file)), /(?:\breason: |\bdeny\(\s*)(['"`].+)/g))
    .map((text) => /^(['"`])(.*)\1/.exec(text)?.[2] ?? '')
    // The longest part between two values.
    .map((text) => text.split(/\$\{.*?\}/).sort((a, b) => b.length - a.length)[0] ?? '')
    .map((text) => text.replace(/^[\s:;,]+|[\s:;,(]+$/g, ''))
    .filter((text) => text.length > 8);
  expect(reasons.length).toBeGreaterThan(40);
  expect(reasons.filter((reason) => !errors.includes(reason))).toEqual([]);
});

interface Schema {
  properties: object;
  definitions: { feature: { properties: object } };
}

test('the page on configuration and the schema list every key of the declaration, and no other', () => {
  const names = [...COLUMNS['package.json'].keys()];
  const [, list = ''] =
    /FIELDS = new Set\(\[([^\]]*)\]/.exec(read('src/settings/feature.ts')) ?? [];
  const fields = collect(list, /'(\w+)'/g);
  expect(fields).toContain('packages');
  const listed = collect(configuration.split('## Settings')[0] ?? '', /^\| `(\w+)`/gm);
  expect(new Set(listed)).toEqual(new Set([...names, ...fields]));
  const schema = JSON.parse(read('docs/annex.schema.json')) as Schema;
  expect(new Set(Object.keys(schema.properties))).toEqual(new Set([...names, '$schema']));
  const { feature } = schema.definitions;
  expect(new Set(Object.keys(feature.properties))).toEqual(new Set(fields));
});

test('the documents list every rule and every state', () => {
  const rules = collect(read('src/cli/why/rules.ts'), /^ {2}(\d): '/gm);
  expect(collect(read('docs/resolution.md'), /^\| (\d) \|/gm)).toEqual(rules);
  const [, states = ''] = /export type Whereabouts =([^;]*);/.exec(read('src/types.ts')) ?? [];
  const named = collect(states, /'([^']+)'/g);
  expect(named).toHaveLength(8);
  expect(collect(read('docs/api.md'), /^\| `([^`A-Z]+)` \|/gm)).toEqual(
    expect.arrayContaining(named),
  );
});

test('the page on logs and the schema of the log list every event that ANNEX_LOG=json writes', () => {
  const [, union = ''] = /export type LogEvent =([^;]*);/.exec(read('src/base/log.ts')) ?? [];
  // Only the level debug writes decisions.
  const events = collect(union, /'([^']+)'/g).filter((event) => event !== 'resolve');
  expect(events).toContain('install.end');
  const rows = readTable(read('docs/observability.md'), '| event | when |');
  expect(new Set(rows.map(([event]) => event))).toEqual(new Set(events));
  const { properties } = JSON.parse(read('docs/log.schema.json'));
  expect(new Set(properties.event.enum)).toEqual(new Set(events));
});

test('the page on the API has a section for each export', async () => {
  const names = Object.keys(await import('../../../src/index.ts'));
  const sections = collect(read('docs/api.md'), /^### (\w+)/gm);
  expect(names.filter((name) => !sections.includes(name))).toEqual([]);
});

test('files and commands that the documents name exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const documents = ['README.md', 'CONTRIBUTING.md', ...listDocuments('docs')];
  const examples = readdirSync(join(repositoryRoot, 'examples')).map(
    (name) => `examples/${name}/README.md`,
  );
  for (const document of [...documents, ...examples]) {
    const text = read(document);
    for (const script of collect(
      text,
      /\bnpm (?:run )?(test(?::\w+)?|demo|build|lint|typecheck)\b/g,
    )) {
      expect({ document, script, known: Object.keys(scripts) }).toMatchObject({
        known: expect.arrayContaining([script]),
      });
    }
    for (const path of collect(text, /\b((?:docs|test|src|scripts)\/[\w/.-]+\.\w+)\b/g)) {
      const places = [path, join(dirname(document), path)];
      const isThere = places.some((place) => existsSync(join(repositoryRoot, place)));
      expect({ document, path, isThere }).toEqual({ document, path, isThere: true });
    }
  }
});

test('the picture of imports in CONTRIBUTING has every folder of src, in order of its layer', () => {
  // The folders of cli/ are one in the picture.
  const layers = LAYERS.map((layer) =>
    layer.filter((name) => !name.includes('/')).map((name) => name.replace(/\.ts$/, '')),
  );
  const [, picture = ''] = /^```\n(jest .*?)^```$/ms.exec(read('CONTRIBUTING.md')) ?? [];
  // A description follows in column 32.
  const drawn = picture
    .split('\n')
    .map((line) => line.slice(0, 32).match(/[a-z]+/g) ?? [])
    .filter((names) => names.length > 0);
  expect(drawn.flat().sort()).toEqual(layers.flat().sort());
  const heights = drawn.map((names) =>
    names.map((name) => layers.findIndex((layer) => layer.includes(name))),
  );
  for (const [row, below] of heights.slice(1).entries()) {
    expect(Math.min(...(heights[row] ?? []))).toBeGreaterThanOrEqual(Math.max(...below));
  }
});

test('CONTRIBUTING lists every folder of cli, in order of its layer', () => {
  const [, list = ''] =
    /^The folders of `cli\/`[^:]*: ([^.]*)\./m.exec(read('CONTRIBUTING.md')) ?? [];
  const listed = list.split(';').map((part) => collect(part, /`(\w+)`/g));
  const layers = LAYERS.map((layer) =>
    layer.filter((name) => name.startsWith('cli/')).map((name) => name.slice('cli/'.length)),
  ).filter((layer) => layer.length > 0);
  expect(listed).toEqual(layers.reverse());
});

test('source files that CONTRIBUTING names exist', () => {
  const named = collect(read('CONTRIBUTING.md'), /`([a-z]+\/[a-z0-9-]+(?:\.ts)?)`/g).filter(
    (name) => existsSync(join(repositoryRoot, 'src', dirname(name))),
  );
  expect(named.length).toBeGreaterThan(20);
  for (const name of named) {
    const isThere = existsSync(join(repositoryRoot, 'src', name.replace(/(\.ts)?$/, '.ts')));
    expect({ name, isThere }).toEqual({ name, isThere: true });
  }
});

test('tests that the page on reliability names exist', () => {
  const image = 'examples/immutable-image/test';
  const named = collect(
    read('docs/reliability.md'),
    /`((?:unit|e2e|long|real|containers|files)\/[\w/-]+)`/g,
  );
  expect(named.length).toBeGreaterThan(40);
  for (const name of named) {
    const path = join(repositoryRoot, /^(containers|files)/.test(name) ? image : 'test', name);
    expect({ name, isThere: existsSync(`${path}.test.ts`) || existsSync(path) }).toEqual({
      name,
      isThere: true,
    });
  }
});

describe('decisions', () => {
  const directory = 'docs/decisions';
  const names = readdirSync(join(repositoryRoot, directory))
    .filter((name) => name !== 'README.md')
    .sort();
  const index = read(join(directory, 'README.md'));

  test('their numbers are unique and without gaps', () => {
    const expected = names.map((_, i) => `${i + 1}`.padStart(4, '0'));
    expect(names.map((name) => name.slice(0, 4))).toEqual(expected);
  });

  test.each(names)('%s has a title, a date, a status and its three parts', (name) => {
    expect(name).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
    const [head = '', ...parts] = read(join(directory, name)).split(/^## /m);
    expect(head).toMatch(
      /^# .+\n\n- Date: \d{4}-\d\d-\d\d\n- Status: (accepted|superseded by \[).*\n\n$/,
    );
    expect(parts.map((part) => /^\w+(?=\n\n\S)/.exec(part)?.[0])).toEqual([
      'Context',
      'Decision',
      'Consequence',
    ]);
  });

  test('they are in order of date', () => {
    const dates = names.map((name) => /Date: (.*)/.exec(read(join(directory, name)))?.[1]);
    expect(dates).toEqual([...dates].sort());
  });

  test('the index lists each exactly once, with its title and whether it is superseded', () => {
    const lines = index.split('\n').filter((line) => line.startsWith('- '));
    const expected = names.map((name) => {
      const text = read(join(directory, name));
      const end = text.includes('- Status: superseded') ? ' (superseded)' : '';
      return `- [${name.slice(0, 4)}](${name}) ${/^# (.*)/.exec(text)?.[1]}${end}`;
    });
    expect(lines.sort()).toEqual(expected.sort());
  });
});
