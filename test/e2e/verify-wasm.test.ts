/** G5: WebAssembly that an entry imports: as with plain Node while it is sound, and otherwise it does not run. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox } from '../support/sandbox.ts';

const list = (items: readonly number[][]): number[] => [items.length, ...items.flat()];
const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
const section = (id: number, body: number[]): number[] => [id, body.length, ...body];

/** A module whose function `marker` returns a number, or calls the function `marker` that it imports. */
function compile(value: number, from?: string): Buffer {
  const isImport = from !== undefined;
  const body = [0, ...(isImport ? [0x10, 0] : [0x41, value]), 0x0b];
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, 0, 1, 0x7f]])),
    ...(isImport ? section(2, list([[...text(from), ...text('marker'), 0, 0]])) : []),
    ...section(3, list([[0]])),
    ...section(7, list([[...text('marker'), 0, isImport ? 1 : 0]])),
    ...section(10, list([[body.length, ...body]])),
  ]);
}

const SOUND = 7;
const EVIL = 66;
const write = (value: number): string => `export const marker = () => ${value};\n`;

const kit = {
  name: 'kit',
  version: '1.0.0',
  files: {
    'own.wasm': compile(SOUND),
    'path.wasm': compile(0, './dep.mjs'),
    'name.wasm': compile(0, 'tool'),
    'gone.wasm': compile(0, 'gone'),
    'dep.mjs': write(SOUND),
    'load.mjs': 'export const load = (specifier) => import(specifier);\n',
  },
  manifest: { imports: { '#own': './own.wasm' } },
};
const tool = {
  name: 'tool',
  version: '1.0.0',
  files: { 'index.mjs': write(SOUND), 'tool.wasm': compile(SOUND) },
  manifest: { exports: { '.': './index.mjs', './wasm': './tool.wasm' } },
};

const REQUESTS = ['./own.wasm', './path.wasm', './name.wasm', './gone.wasm', '#own', 'tool/wasm'];

const MAIN = `const [,, change, ...specifiers] = process.argv;
const kit = import('kit/load.mjs');
await kit.catch(() => {});
if (change !== '') await import(change);
const seen = {};
for (const specifier of specifiers) {
  try { seen[specifier] = (await (await kit).load(specifier)).marker(); } catch ({ code }) { seen[specifier] = code; }
}
console.log(JSON.stringify(seen));
`;

/** Changes: a path from the package, its new content, and the requests that meet it. */
const CHANGES: [what: string, path: string, content: string | Buffer, requests: string[]][] = [
  ['an edited module', 'own.wasm', compile(EVIL), ['./own.wasm', '#own']],
  ['an edited ES module that it imports', 'dep.mjs', write(EVIL), ['./path.wasm']],
  ['an edited package that it imports', '../tool/index.mjs', write(EVIL), ['./name.wasm']],
  ['a nearer package', 'node_modules/tool/index.mjs', write(EVIL), ['./name.wasm']],
  ['a package that was missing', '../gone/index.js', write(EVIL), ['./gone.wasm']],
  ['a missing package above', '../../../node_modules/gone/index.js', write(EVIL), ['./gone.wasm']],
];

/** A program that writes a file. */
const writeChange = (file: string, content: string | Buffer): string => `
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
const file = ${JSON.stringify(file)};
mkdirSync(dirname(file), { recursive: true });
rmSync(file, { force: true });
writeFileSync(file, Buffer.from('${Buffer.from(content).toString('base64')}', 'base64'));
`;

describe.each(nodes)('$label', (node) => {
  const flags = ['--no-warnings', ...(node.major < 24 ? ['--experimental-wasm-modules'] : [])];
  const open = async () => {
    const sandbox = await createSandbox({ node: node.path });
    sandbox.setCore({ features: { kit: '*' } });
    const entry = sandbox.plantEntry({
      feature: 'kit',
      packages: [kit, tool],
      specs: { kit: '*' },
    });
    for (const pkg of [kit, tool]) sandbox.addPackage('plain/node_modules', pkg);
    for (const place of ['app', 'plain']) sandbox.write(`${place}/main.mjs`, MAIN);
    const run = async (preload: string[], specifiers: string[], change = '', cwd = 'app') => {
      const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'silent' };
      const args = [...flags, ...preload, 'main.mjs', change, ...specifiers];
      const { stdout, stderr } = await sandbox.run(args, { env, cwd });
      if (stdout === '') throw new Error(stderr);
      return JSON.parse(stdout) as Record<string, number | string>;
    };
    return { sandbox, dir: join(entry, 'node_modules/kit'), run };
  };

  test('sound modules give what they give in a node_modules', async () => {
    const { sandbox, run } = await open();
    const seen = await run(['--import', sandbox.loader], REQUESTS);
    expect(seen).toEqual(await run([], REQUESTS, '', 'plain'));
    expect(Object.values(seen).filter((each) => each === SOUND)).toHaveLength(5);
  });

  test.for(CHANGES)('%s does not run', async ([, path, content, requests]) => {
    for (const when of canWatchLoads(node.label.slice(1)) ? ['before', 'running'] : ['before']) {
      const { sandbox, dir, run } = await open();
      const change = sandbox.write('change.mjs', writeChange(join(dir, path), content));
      if (when === 'before') await sandbox.run([change]);
      const preload = ['--import', sandbox.loader];
      const seen = await run(preload, requests, when === 'running' ? change : '');
      expect(Object.values(seen), when).toEqual(requests.map(() => 'ERR_MODULE_NOT_FOUND'));
    }
  });
});
