/** Holds the documents to the code: names that the code knows are in the README, and no others. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { HELP } from '../../../src/cli/help.ts';
import { repositoryRoot } from '../../support/package.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const readme = read('README.md');

/** All matches of the first group, each once, in order of the alphabet. */
const collect = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort();

/** A section of the README, by its heading. */
function section(title: string): string {
  const text = readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (text === undefined) throw new Error(`the README has no section ${title}`);
  return text;
}

test('the README lists every variable that is read, and no other', () => {
  const variables = collect(
    read('src/settings/environment.ts'),
    /(?:\benv\.|readSwitch\(')(ANNEX_[A-Z_]+)/g,
  );
  expect(variables).toContain('ANNEX_STORE');
  expect(collect(section('Settings'), /^\| `(ANNEX_[A-Z_]+)`/gm)).toEqual(variables);
});

test('the README lists every error code, and no other', () => {
  const codes = collect(read('src/types.ts'), /\| '(ANNEX_[A-Z_]+)'/g);
  expect(codes).toHaveLength(10);
  expect(collect(section('Errors'), /^\| `(ANNEX_[A-Z_]+)`/gm)).toEqual(codes);
});

interface Schema {
  properties: object;
  definitions: { feature: { properties: object } };
}

test('the README and the schema list every key of the declaration, and no other', () => {
  const namesIn = (file: string, list: string): string[] => {
    const set = new RegExp(`${list}[^=]* = new Set\\(\\[([^\\]]*)\\]`).exec(read(file));
    return collect(set?.[1] ?? '', /'(\w+)'/g);
  };
  const names = namesIn('src/settings/declaration.ts', 'TOP_KEYS');
  const fields = namesIn('src/settings/feature.ts', 'FIELDS');
  expect(names).toContain('features');
  expect(fields).toContain('packages');
  const listed = collect(section('Declare'), /^\| `(\w+)`/gm);
  expect(new Set(listed)).toEqual(new Set([...names, ...fields]));
  const schema = JSON.parse(read('docs/annex.schema.json')) as Schema;
  expect(new Set(Object.keys(schema.properties))).toEqual(new Set(names));
  const { feature } = schema.definitions;
  expect(new Set(Object.keys(feature.properties))).toEqual(new Set(fields));
});

test('the README lists every rule, every state and every command', () => {
  const rules = collect(read('src/cli/rules.ts'), /^ {2}(\d): '/gm);
  expect(collect(section('How a specifier is resolved'), /^\| (\d) \|/gm)).toEqual(rules);
  const [, states = ''] = /export type Whereabouts =([^;]*);/.exec(read('src/types.ts')) ?? [];
  const named = collect(states, /'([^']+)'/g);
  expect(named).toHaveLength(8);
  for (const state of named) expect(section('Command line')).toContain(`\`${state}\``);
  const commands = HELP.split('\n').filter((line) => /^ {2}\w+ .* {2}/.test(line));
  expect(commands.length).toBeGreaterThan(5);
  for (const line of commands) expect(readme).toContain(`annex ${line.trim()}\n`);
});

test('files and commands that the documents name are there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const documents = ['README.md', 'CONTRIBUTING.md', 'docs/decisions.md', 'docs/images.md'];
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
