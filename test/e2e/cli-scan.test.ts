/** `annex scan`: the requests in the sources of an application, against what it declares and ships. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import type { RunOptions } from '../support/sandbox.ts';
import { createSandbox } from '../support/sandbox.ts';

interface Requested {
  package: string;
  listedIn: string;
  state: string;
  requests: { file: string; line: number; kind: string }[];
}

describe.each(outerNodes)('$label', (node) => {
  /** An application with sources by path. */
  const open = async (manifest: object, sources: Record<string, string>) => {
    const sandbox = await createSandbox({ linkAnnex: false });
    sandbox.write('app/package.json', { name: 'app', ...manifest });
    for (const [path, text] of Object.entries(sources)) sandbox.write(`app/${path}`, text);
    const run = (args: string[] = [], options: RunOptions = {}) =>
      sandbox.annex(['scan', ...args], { node: node.path, ...options });
    const scan = async (options?: RunOptions) => {
      const { code, stdout, stderr } = await run(['--json'], options);
      const output = JSON.parse(stdout);
      const packages: Requested[] = output.packages;
      const states = Object.fromEntries(packages.map((one) => [one.package, one.state]));
      const files = [...new Set(packages.flatMap(({ requests }) => requests.map((r) => r.file)))];
      return { code, stderr, ...output, states, sources: files.sort() };
    };
    return { sandbox, run, scan };
  };

  test('a package that is neither declared nor shipped is named with its places and the remedy', async () => {
    const { sandbox, run } = await open(
      { devDependencies: { pg: '^8.11.0', ranged: '>=1 <3' } },
      {
        'src/search.mjs': `let exa;\ntry {\n  exa = await import('exa-js');\n} catch {}\n`,
        'src/db.cjs': `const pg = require('pg');\nrequire.resolve('exa-js/client');\n`,
        'ranged.ts': `import type { T } from 'types-only';\nimport { r } from 'ranged';\n`,
      },
    );
    const before = sandbox.digest(sandbox.core);
    const { code, stdout, stderr } = await run([], { cwd: 'app/src' });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toBe(`exa-js: neither declared nor shipped; no package.json lists it
  src/db.cjs:2      require.resolve
  src/search.mjs:3  import()
  Now: npx annex add exa-js
pg: neither declared nor shipped; it is in devDependencies
  src/db.cjs:1  require
  Now: npx annex add pg@^8.11.0
ranged: neither declared nor shipped; it is in devDependencies
  ranged.ts:2  import
  Now: npx annex add "ranged@>=1 <3"
3 undeclared, 0 unused, 3 sources
Now: npx annex init, which declares and locks them
`);
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('what is declared, shipped, built in or its own is not named', async () => {
    const { sandbox, run, scan } = await open(
      {
        workspaces: ['packages/*'],
        dependencies: { shipped: '^1.0.0' },
        optionalDependencies: { optional: '^1.0.0' },
        peerDependencies: { peer: '*', maybe: '*' },
        peerDependenciesMeta: { maybe: { optional: true } },
        annex: { features: { 'exa-js': '^1.0.0' }, fromOptionalPeers: true },
      },
      {
        'main.mjs': ['shipped', 'below', 'optional', 'peer', 'maybe', 'exa-js/client', 'node:fs']
          .concat('path', 'app', 'tools', './lib.mjs', '#internal', '@/alias', 'https://host/x.js')
          .map((name) => `import '${name}';`)
          .join('\n'),
        'packages/tools/package.json': '{ "name": "tools", "dependencies": { "inner": "^1" } }',
        'packages/tools/index.js': `require('inner');`,
      },
    );
    const dependencies = { below: '^1.0.0' };
    sandbox.addPackage('app/node_modules', {
      ...esmPackage('shipped', '1.0.0', 'core'),
      manifest: { dependencies },
    });
    sandbox.addPackage('app/node_modules', esmPackage('below', '1.0.0', 'core'));
    const { code, states, packages } = await scan();
    expect(states).toEqual({
      ...{ shipped: 'shipped', below: 'shipped', optional: 'shipped', peer: 'shipped' },
      ...{ inner: 'shipped', path: 'shipped', 'node:fs': 'shipped' },
      ...{ maybe: 'declared', 'exa-js': 'declared' },
    });
    expect(code).toBe(0);
    expect(packages.map((one: Requested) => [one.package, one.listedIn])).toEqual([
      ['below', 'unknown'],
      ['exa-js', 'unknown'],
      ['inner', 'dependencies'],
      ['maybe', 'optional peerDependencies'],
      ['node:fs', 'builtin'],
      ['optional', 'optionalDependencies'],
      ['path', 'builtin'],
      ['peer', 'peerDependencies'],
      ['shipped', 'dependencies'],
    ]);
    expect((await run()).stdout).toBe('0 undeclared, 0 unused, 2 sources\n');
  });

  test('tests, build output, tool configuration, locks and other applications are no sources', async () => {
    const text = `import 'somewhere';`;
    const paths = [
      ...['test/a.js', 'src/__tests__/a.js', 'src/a.test.ts', 'src/a.spec.js', 'dist/a.js'],
      ...['coverage/a.js', '.cache/a.js', '.eslintrc.cjs', 'vitest.config.ts', 'src/a.d.ts'],
      ...['annex/exa-js/a.js', 'node_modules/b/a.js', 'other/a.js', 'README.md'],
    ];
    const { sandbox, scan } = await open({}, Object.fromEntries(paths.map((path) => [path, text])));
    sandbox.write('app/other/package.json', { annex: { features: { somewhere: '1' } } });
    sandbox.write('app/src/own.mts', text);
    sandbox.write('app/src/annex/own.js', text);
    expect((await scan()).sources).toEqual(['src/annex/own.js', 'src/own.mts']);
  });

  test('what Git ignores is no source; without Git nothing is ignored', async () => {
    const text = `import 'somewhere';`;
    const { sandbox, scan } = await open(
      {},
      { '.gitignore': 'made/\n*.gen.js\n', 'made/a.js': text, 'a.gen.js': text, 'a.js': text },
    );
    await sandbox.exec('git', ['init', '-q']);
    expect((await scan()).sources).toEqual(['a.js']);
    const withoutGit = await scan({ env: { PATH: sandbox.home } });
    expect(withoutGit.sources).toEqual(['a.gen.js', 'a.js', 'made/a.js']);
  });

  test('links are not followed, except to a workspace that the application depends on', async () => {
    const { sandbox, scan } = await open({ dependencies: { tools: '*' } }, { 'a.js': '' });
    sandbox.write('elsewhere/package.json', { name: 'elsewhere' });
    sandbox.write('elsewhere/b.js', `import 'outside';`);
    sandbox.write('tools/package.json', { name: 'tools' });
    sandbox.write('tools/index.js', `import('exa-js');`);
    symlinkSync(join(sandbox.root, 'elsewhere'), join(sandbox.core, 'linked'));
    symlinkSync(join(sandbox.root, 'elsewhere', 'b.js'), join(sandbox.core, 'b.js'));
    symlinkSync(join(sandbox.root, 'tools'), join(sandbox.core, 'node_modules', 'tools'));
    expect(await scan()).toMatchObject({ code: 1, files: 2, sources: ['../tools/index.js'] });
  });

  test('JSX, TSX and load() of annex are read', async () => {
    const { run } = await open(
      { dependencies: { annex: '*' } },
      {
        'page.js': `export default () => <p>It's {await import('exa-js')}</p>;`,
        'view.tsx': `import { load } from 'annex';
export async function View({ rows }: { rows: string[] }) {
  const { marked } = await load<typeof import('marked')>('marked');
  return <ul title="isn't">{rows.map((row) => <li key={row}>{marked(row)}</li>)}</ul>;
}`,
      },
    );
    expect(await run()).toMatchObject({
      stderr: '',
      stdout: `exa-js: neither declared nor shipped; no package.json lists it
  page.js:1  import()
  Now: npx annex add exa-js
marked: neither declared nor shipped; no package.json lists it
  view.tsx:3  load
  Now: npx annex add marked
2 undeclared, 0 unused, 2 sources
Now: npx annex init, which declares and locks them
`,
    });
  });

  test('a source that is too large or does not parse is named, and the others are read', async () => {
    const { sandbox, scan, run } = await open(
      { annex: { features: { seen: '1' } } },
      {
        'a.js': `import 'seen';`,
        'big.js': `import 'unseen';${' '.repeat(2 ** 22)}`,
        'broken.tsx': `const a = <p>don't</b>`,
      },
    );
    mkdirSync(join(sandbox.core, 'directory.js'));
    expect(await scan()).toMatchObject({
      code: 0,
      files: 1,
      sources: ['a.js'],
      unread: [
        { file: 'big.js', problem: 'it has more than 4194304 bytes' },
        { file: 'broken.tsx', problem: 'it does not parse' },
      ],
    });
    expect((await run()).stderr).toBe(
      'annex: 2 sources are not scanned. big.js is not scanned: it has more than 4194304 bytes\n',
    );
  });

  test('features that no source names and requests with a computed name do not fail', async () => {
    const { run, scan } = await open(
      {
        annex: {
          features: { idle: '1', named: '1', db: { packages: { pg: '^8.0.0', other: '^1.0.0' } } },
        },
      },
      { 'a.mjs': `const name = 'named/sub';\nawait import(name);\nawait import('pg');` },
    );
    const { code, stdout, stderr } = await run();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`idle: declared, and no source names it
  Now: npx annex remove idle, unless a package in node_modules imports it
1 request with a computed name, which a scan cannot read
  a.mjs:2  import()
0 undeclared, 1 unused, 1 source
`);
    expect(await scan()).toMatchObject({
      unused: ['idle'],
      computed: [{ file: 'a.mjs', line: 2, kind: 'import()' }],
    });
  });

  test('without a package.json, or with a broken one, it says so', async () => {
    const { sandbox, run } = await open({}, {});
    expect(await run([], { cwd: 'home' })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^annex: there is no package\.json in .*home or above /),
    });
    sandbox.write('app/package.json', '{');
    expect(await run()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/app\/package\.json does not parse as JSON /),
    });
  });
});
