/** G7: what the import of an installed feature costs, by count: directories, files, and calls for each request. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { installBefore, listEntries } from '../support/lock-files.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import { straceProblem, traceFiles } from '../support/strace.ts';

const traced = straceProblem === undefined ? nodes : [];
const watched = traced.filter(({ label }) => canWatchLoads(label.slice(1)));

/** Built-ins that take long to load. */
const HEAVY = /^NativeModule (?:child_process|crypto|https?|tls|zlib)$/;

const unused = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [`lib/part-${index}/unused.js`, '']),
);
const kit = esmPackage('kit', '1.0.0', 'kit', { dependencies: { low: '^1.0.0', idle: '^1.0.0' } });
const low = esmPackage('low', '1.0.0', 'low');

/** Files that all load one file in another directory, and one that loads some of them. */
function writeParts(count: number, load: (file: string) => string): Record<string, string> {
  const parts = Array.from({ length: count }, (_, index) => `parts/part-${index}.js`);
  const files = parts.map((part) => [part, load('../common/shared.js')]);
  return {
    ...Object.fromEntries(files),
    [`with-${count}.js`]: parts.map((part) => load(`./${part}`)).join(''),
    'common/shared.js': '',
  };
}
const [FEW, MANY] = [5, 25];
const importParts = (count: number) => writeParts(count, (file) => `import '${file}';\n`);
const requireParts = (count: number) => writeParts(count, (file) => `require('${file}');\n`);

const openInstalled = installBefore({
  packages: [
    {
      ...kit,
      files: {
        ...unused,
        'index.js': "import './lib/part-0/used.js';\nexport { marker } from 'low';\n",
        'lib/part-0/used.js': '',
      },
    },
    { ...low, files: { ...low.files, ...unused } },
    esmPackage('idle', '1.0.0', 'idle'),
    {
      ...esmPackage('wide', '1.0.0', 'wide', { exports: { './*': './*' } }),
      files: { ...importParts(FEW), ...importParts(MANY) },
    },
    {
      ...cjsPackage('broad', '1.0.0', 'broad'),
      files: { ...requireParts(FEW), ...requireParts(MANY) },
    },
  ],
  annex: { features: { kit: '^1.0.0', wide: { packages: { wide: '^1.0.0', broad: '^1.0.0' } } } },
});

/** Runs a program, and lists the paths below its entry that calls of some kinds name. */
async function trace(
  node: NodeUnderTest,
  makeProgram: (entry: string) => string,
  { calls = '%file', isPlain = false }: { calls?: string; isPlain?: boolean },
): Promise<string[]> {
  const { sandbox } = await openInstalled(node);
  const findEntry = (name: string): string =>
    listEntries(sandbox).find((entry) => existsSync(join(entry, 'node_modules', name))) ?? '';
  const main = sandbox.write('app/main.mjs', makeProgram(findEntry('wide')));
  const preload = isPlain ? [] : ['--import', sandbox.loader];
  const found = await traceFiles(sandbox, [...preload, main], {
    calls,
    node: node.path,
    env: { ANNEX_STORE: sandbox.store },
  });
  return found
    .flatMap(({ paths }) => paths)
    .filter((path) => path.startsWith(`${sandbox.store}/`))
    .map((path) => relative(sandbox.store, path).replace(/^v1\/any\/[^/]+\//, ''));
}

const importKit = () => "await import('kit');";
const OPEN = { calls: 'open,openat' };

describe.concurrent.each(traced)('G7: not in the way, $label', (node) => {
  test('an import reads no directory of the store', async () => {
    expect(await trace(node, importKit, OPEN)).toContain('node_modules/kit/index.js');
    expect(await trace(node, importKit, { calls: 'getdents,getdents64' })).toEqual([]);
  });

  test('an import opens no file of a package that it does not load', async () => {
    const opened = await trace(node, importKit, OPEN);
    expect(opened.filter((path) => path.includes('/idle/'))).toEqual([]);
  });
});

describe.concurrent.each(watched)('G7: not in the way, $label', (node) => {
  test('an import opens only what it loads, and package.json files', async () => {
    const opened = new Set(await trace(node, importKit, OPEN));
    const files = [...opened].filter((path) => path.startsWith('node_modules/'));
    const own = ['index.js', 'lib/part-0/used.js', 'package.json'];
    const absent = ['lib/part-0/package.json', 'lib/package.json'];
    const expected = [
      ...[...own, ...absent].map((path) => join('node_modules/kit', path)),
      ...['index.js', 'package.json'].map((path) => join('node_modules/low', path)),
    ];
    expect(expected).toEqual(expect.arrayContaining(files));
  });

  test.each(['import', 'require'])(
    '%s: a further file that loads a verified one causes the calls of Node alone',
    async (kind) => {
      const growth = async (isPlain: boolean): Promise<number> => {
        const [few = 0, many = 0] = await Promise.all(
          [FEW, MANY].map(async (count) => {
            const name = kind === 'import' ? 'wide' : 'broad';
            const load = (entry: string): string => {
              const file = `${name}/with-${count}.js`;
              const specifier = isPlain ? join(entry, 'node_modules', file) : file;
              if (kind === 'import') return `await import('${specifier}');`;
              return `process.getBuiltinModule('module').createRequire(import.meta.url)('${specifier}');`;
            };
            const calls = await trace(node, load, { isPlain });
            expect(calls).toContain(`node_modules/${name}/parts/part-${count - 1}.js`);
            return calls.filter((path) => path.includes('/common/')).length;
          }),
        );
        return many - few;
      };
      expect(await growth(false)).toBe(await growth(true));
    },
  );
});

describe.concurrent.each(nodes.filter(({ major }) => major >= 22))('G7: $label', (node) => {
  test.each([
    ['off', []],
    ['load', ['NativeModule crypto']],
  ])(
    'with "verify": "%s", the import of a locked feature loads of the built-ins %j',
    async (verify, heavy) => {
      const { sandbox } = await openInstalled(node);
      const list = `console.log(JSON.stringify(process.moduleLoadList.filter((name) => ${HEAVY}.test(name))));`;
      const main = sandbox.write('app/list.mjs', `await import('kit');\n${list}`);
      const env = {
        ANNEX_STORE: sandbox.store,
        ANNEX_CONFIG: sandbox.write('operator.json', { verify }),
      };
      const { stdout } = await sandbox.run(['--import', sandbox.loader, main], {
        env,
        node: node.path,
      });
      expect(JSON.parse(stdout)).toEqual(heavy);
    },
  );
});
