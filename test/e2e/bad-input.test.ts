/** Invalid declarations in the core's package.json: each is named and disabled, and everything else works. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, FORM, importIn, NOTICE, splitLines } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const long = 'x'.repeat(201);

/** Invalid features by name: declaration, specifier to import, and reported problem. */
const wrong: [feature: string, value: unknown, specifier: string | undefined, reason: string][] = [
  ['tagged', 'latest', 'tagged', '"latest" for tagged, which is a tag'],
  ['linked', 'https://example.com/x.tgz', 'linked', 'is a URL'],
  ['cloned', 'git+ssh://git@example.com/x.git', 'cloned', 'is a git address'],
  ['short', 'user/repo', 'short', 'is a git address'],
  ['filed', 'file:../filed', 'filed', 'is a path'],
  ['aliased', 'npm:other@^1.0.0', 'aliased', 'is an alias'],
  ['spaced', 'workspace:*', 'spaced', 'is a workspace reference'],
  ['empty', '', 'empty', 'is empty'],
  ['endless', `>=${'0'.repeat(250)}`, 'endless', 'is longer than 200 characters'],
  ['numbered', 1, undefined, 'is neither a semver range nor'],
  [
    'grouped',
    { packages: { 'in-group': 'next' } },
    'in-group',
    '"next" for in-group, which is a tag',
  ],
  ['scripted', { packages: { scr: '1' }, blocked: ['scr'] }, 'scr', 'cannot honor it'],
  [
    'second',
    { packages: { twice: '^1.0.0', once: '^1.0.0' } },
    'once',
    'already in feature "twice"',
  ],
  ['No Good', '^1.0.0', undefined, '"No Good", which is not a valid npm package name'],
  [long, '^1.0.0', undefined, 'longer than 200 characters'],
  ['fs', '^1.0.0', undefined, '"fs", which is a builtin of Node'],
  ['app', '^1.0.0', undefined, '"app", which is the core itself'],
  ['part', '^1.0.0', undefined, '"part", which is a workspace of the core'],
];

/** An application with entries of `good` and of every invalid feature in its store. */
async function openSandbox(): Promise<Sandbox> {
  const sandbox = await createSandbox();
  for (const name of ['good', 'twice', ...wrong.flatMap(([, , specifier]) => specifier ?? [])]) {
    const packages = [esmPackage(name, '1.0.0', 'planted')] as const;
    sandbox.plantEntry({ feature: name, packages, specs: { [name]: '^1.0.0' } });
  }
  return sandbox;
}

const isAbout = (feature: string, line: string): boolean => line.startsWith(`annex: ${feature} `);

describe.each(nodes)('$label', (node) => {
  test('every invalid feature is off, with its key named once; valid ones and builtins load', async () => {
    const sandbox = await openSandbox();
    const features = Object.fromEntries(wrong.map(([name, value]) => [name, value]));
    sandbox.setCore(
      { features: { good: '^1.0.0', twice: '^1.0.0', ...features } },
      { workspaces: ['packages/*'], exports: './main.mjs' },
    );
    sandbox.write('app/packages/part/package.json', { name: 'part', version: '1.0.0' });
    const asked = wrong.flatMap(([, , specifier]) => specifier ?? []);
    const before = sandbox.digest(sandbox.store);
    const { imported, lines } = await importIn(sandbox, ['good', 'twice', 'fs', 'part', ...asked], {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store },
    });

    for (const name of ['good', 'twice'])
      expect(imported[name]).toMatchObject({ marker: 'planted' });
    expect(imported.fs).toEqual({});
    expect(imported.part).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    expect(imported.part).not.toHaveProperty('cause');
    for (const [feature, , specifier, reason] of wrong) {
      const [line, ...more] = lines.filter((one) => isAbout(feature, one));
      expect(more).toEqual([]);
      expect(line).toContain(reason);
      expect(line).toContain(`annex.features[${JSON.stringify(feature)}]`);
      expect(line).toContain('(ANNEX_INVALID_CONFIG)');
      expect(line).toContain('Now: correct that key');
      if (feature !== 'No Good') expect(line).toMatch(FORM);
      if (specifier === undefined) continue;
      const text = reason.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      expectRefused(imported[specifier], 'ANNEX_INVALID_CONFIG', new RegExp(text), feature);
    }
    expect(lines).toHaveLength(wrong.length);
    expect(sandbox.digest(sandbox.store)).toEqual(before);
  });

  test('keys that are invalid as a whole, or unknown, are named once each', async () => {
    const sandbox = await openSandbox();
    sandbox.setCore({
      features: { good: '^1.0.0' },
      importers: ['relative/dir'],
      fromOptionalPeers: 'yes please',
      blocked: ['not a spec'],
    });
    const env = { ANNEX_STORE: sandbox.store, ANNEX_LOG: 'loud' };
    const { imported, lines } = await importIn(sandbox, ['good'], { node: node.path, env });
    expect(imported.good).toMatchObject({ marker: 'planted' });
    for (const line of lines) expect(line).toMatch(NOTICE);
    for (const what of ['importers[0]', 'fromOptionalPeers', 'annex.blocked', 'ANNEX_LOG']) {
      expect(lines.filter((line) => line.includes(what))).toHaveLength(1);
    }
    expect(lines).toHaveLength(4);
  });

  test('ANNEX_LOG=silent prints nothing, and json prints JSON', async () => {
    const sandbox = await openSandbox();
    sandbox.setCore({ features: { tagged: 'latest' } });
    const say = async (level: string) => {
      const env = { ANNEX_STORE: sandbox.store, ANNEX_LOG: level };
      return (await importIn(sandbox, ['tagged'], { node: node.path, env })).lines;
    };
    expect(await say('silent')).toEqual([]);
    expect(await say('error')).toHaveLength(1);
    const [line = '', ...more] = await say('json');
    expect(more).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      event: 'settings',
      message: expect.stringMatching(FORM),
    });
  });

  test('a package.json that does not parse: one line, and the application runs without annex', async () => {
    const sandbox = await openSandbox();
    sandbox.write('app/package.json', '{ "annex": { "features": { "good": "^1.0.0" } ');
    sandbox.write('app/bin/package.json', { type: 'module' });
    const env = { ANNEX_STORE: sandbox.store };
    const options = { node: node.path, env, program: 'bin/main.mjs' };
    const found = await importIn(sandbox, ['good'], options);
    const named = await importIn(sandbox, ['good'], {
      ...options,
      env: { ...env, ANNEX_CORE: sandbox.core },
    });
    for (const { imported, lines } of [found, named]) {
      expect(imported.good).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
      expect(imported.good).not.toHaveProperty('cause');
      expect(lines).toEqual([expect.stringMatching(NOTICE)]);
      expect(lines[0]).toContain(`${join(sandbox.core, 'package.json')} does not parse as JSON`);
    }
    sandbox.write(
      'app/bin/ensure.mjs',
      `import { ensure, isAvailable, status } from 'annex';
         const error = await ensure('good').catch((error) => error);
         console.log(JSON.stringify([error.name, error.code, isAvailable('good'), status().features]));`,
    );
    const { stdout, stderr } = await sandbox.run(['bin/ensure.mjs'], options);
    expect(JSON.parse(stdout)).toEqual(['AnnexError', 'ANNEX_INVALID_CONFIG', false, []]);
    expect(stderr).toBe('');
  });

  test.each([
    ['a directory that is not there', 'nowhere', /nowhere\/package\.json cannot be read: ENOENT/],
    ['a file', 'app/package.json', /package\.json cannot be read: ENOTDIR/],
  ])('ANNEX_CORE names %s: one line, and no other core is used', async (_, path, reason) => {
    const sandbox = await openSandbox();
    sandbox.setCore({ features: { good: '^1.0.0' } });
    const env = { ANNEX_STORE: sandbox.store, ANNEX_CORE: join(sandbox.root, path) };
    const { imported, lines } = await importIn(sandbox, ['good'], { node: node.path, env });
    expect(imported.good).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    expect(lines).toEqual([expect.stringMatching(NOTICE)]);
    expect(lines[0]).toMatch(reason);
  });

  test('a command prints the same line and exits with 1', async () => {
    const sandbox = await openSandbox();
    sandbox.setCore({ features: { good: '^1.0.0', tagged: 'latest' } });
    const env = { ANNEX_STORE: sandbox.store };
    const { code, stderr } = await sandbox.annex(['install', 'tagged'], { node: node.path, env });
    expect(code).toBe(1);
    const lines = splitLines(stderr);
    expect(lines).toEqual([expect.stringMatching(FORM)]);
    expect(lines[0]).toContain('annex.features["tagged"]');
    const other = await sandbox.annex(['install', 'undeclared'], { node: node.path, env });
    expect(other.code).toBe(1);
    const [line, ...more] = splitLines(other.stderr);
    expect(more).toEqual([]);
    expect(line).toMatch(/^annex: undeclared unavailable \(ANNEX_INVALID_CONFIG\): .*good, tagged/);
  });
});
