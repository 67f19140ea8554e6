/** G7: what a program that needs nothing of annex pays for it: built-ins, bytes and calls on files, by count. */
import { statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { straceProblem, traceFiles } from '../support/strace.ts';

/** Whether Node calls hooks in the thread of the program; Node 20 needs a second thread, from the start. */
const hasSyncHooks = ({ major }: NodeUnderTest): boolean => major >= 22;

/** Built-ins of `node:module`, and of `import.meta`, which the versions before 26 load late. */
const BUILTINS = [
  'internal/source_map/source_map',
  'module',
  'internal/modules/esm/initialize_import_meta',
];

/** Built-ins that an installed feature or an install may need, but no start, on any Node. */
const HEAVY = /^NativeModule (?:child_process|crypto|https?|stream\/web|tls|util|zlib)$/;

/** Bytes of annex that a start loads. */
const MAX_BYTES = 18_000;

/** Calls on files by which a start finds the application of a program two directories below it. */
const MAX_CALLS = 10;

/** Opens an application that declares eight features and uses none. */
async function open(node: NodeUnderTest) {
  const sandbox = await createSandbox({ node: node.path });
  const names = Array.from({ length: 8 }, (_, index) => `feature-${index}`);
  sandbox.setCore({ features: Object.fromEntries(names.map((name) => [name, '^1.0.0'])) });
  const empty = sandbox.write('app/empty.mjs', '');
  return { sandbox, empty, env: { ANNEX_STORE: sandbox.store } };
}

/** Imports and requires files and packages of the application, in directories of its own. */
function writeUnrelated(sandbox: Sandbox): string {
  sandbox.addPackage('app/node_modules', esmPackage('shipped-esm', '1.0.0', 'esm'));
  sandbox.addPackage('app/node_modules', cjsPackage('shipped-cjs', '1.0.0', 'cjs'));
  for (const name of ['a', 'b', 'c']) {
    sandbox.write(`app/src/${name}/file.js`, `import 'shipped-esm';\nimport '../own.cjs';\n`);
  }
  sandbox.write('app/src/own.cjs', `require('shipped-cjs');\nrequire('./more/index.cjs');\n`);
  sandbox.write('app/src/more/index.cjs', '');
  return sandbox.write(
    'app/src/main.js',
    `import './a/file.js';\nimport './b/file.js';\nawait import('./c/file.js');\n`,
  );
}

/** Built-ins that a program loads in addition to those under an empty preload. */
async function listMore(node: NodeUnderTest, extension: string): Promise<string[]> {
  const { sandbox, empty, env } = await open(node);
  const main = sandbox.write(
    `app/list.${extension}`,
    "process.getBuiltinModule('fs').writeSync(1, JSON.stringify(process.moduleLoadList));",
  );
  const list = async (preload: string): Promise<string[]> => {
    const run = await sandbox.run(['--import', preload, main], { env });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    return JSON.parse(run.stdout) as string[];
  };
  const plain = new Set(await list(empty));
  expect(plain).toContain('NativeModule fs');
  return (await list(sandbox.loader)).filter((name) => !plain.has(name));
}

describe.concurrent.each(nodes)('G7: not in the way, $label', (node) => {
  test.each(['mjs', 'cjs'])('a start loads no built-in of an install, .%s', async (extension) => {
    const more = await listMore(node, extension);
    expect(more).toContain('NativeModule module');
    expect(more.filter((name) => HEAVY.test(name))).toEqual([]);
  });
});

describe.concurrent.each(nodes.filter(hasSyncHooks))('G7: not in the way, $label', (node) => {
  test.each(['mjs', 'cjs'])('a start loads no built-in but node:module, .%s', async (extension) => {
    const more = await listMore(node, extension);
    const known = BUILTINS.map((name) => `NativeModule ${name}`);
    expect(known).toEqual(expect.arrayContaining(more));
  });

  test.runIf(straceProblem === undefined)(
    'a start opens two files of annex, and none of the application',
    async () => {
      const { sandbox, env } = await open(node);
      const main = sandbox.write('app/src/idle.mjs', '');
      const calls = await traceFiles(sandbox, ['--import', sandbox.loader, main], {
        calls: 'open,openat,openat2',
        node: node.path,
        env,
      });
      const opened = calls.flatMap(({ paths }) => paths);
      const own = opened.filter((path) => path.startsWith(repositoryRoot) && /js$/.test(path));
      const expected = ['loader.mjs', 'dist/loader.js'];
      expect(own).toEqual(expected.map((path) => join(repositoryRoot, path)));
      const bytes = own.map((path) => statSync(path).size).reduce((sum, size) => sum + size);
      expect(bytes).toBeLessThan(MAX_BYTES);
      expect(opened.filter((path) => path.startsWith(sandbox.root))).toEqual([main]);
    },
  );

  test.runIf(straceProblem === undefined)(
    'unrelated modules cause no call on files but those that find the application, once',
    async () => {
      const { sandbox, empty, env } = await open(node);
      const main = writeUnrelated(sandbox);
      /** Calls of a program on files of the application, without those on the preload. */
      const count = async (preload: string) => {
        const options = { node: node.path, env };
        const calls = await traceFiles(sandbox, ['--import', preload, main], options);
        return calls
          .filter(({ paths }) => paths.some((path) => path.startsWith(`${sandbox.core}/`)))
          .map(({ name, paths }) => `${name} ${relative(sandbox.core, paths[0] ?? '')}`)
          .filter((call) => !/ (?:empty\.mjs|node_modules(?:\/annex.*)?)$/.test(call));
      };
      const plain = await count(empty);
      expect(plain.length).toBeGreaterThan(20);
      const more = await count(sandbox.loader);
      for (const call of plain.filter((each) => more.includes(each))) {
        more.splice(more.indexOf(call), 1);
      }
      const others = more.filter((call) => !call.endsWith('package.json'));
      expect(new Set(others)).toEqual(new Set(['readlink src', 'readlink src/main.js']));
      expect(more.length).toBeLessThanOrEqual(MAX_CALLS);
    },
  );
});
