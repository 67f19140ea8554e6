/** G5: an addition that changes a resolution of plain Node counts as damage. */
import { describe, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { createJudge, type Kind } from '../../src/store/additions.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox } from '../support/sandbox.ts';

/** Two packages whose requests Node resolves by probing; their `main` does not exist. */
const INSTALLED: Record<string, string> = {
  'node_modules/kit/package.json': '{ "name": "kit", "main": "./gone" }',
  'node_modules/kit/index.js': 'module.exports = 1;',
  'node_modules/kit/data.js': 'module.exports = 1;',
  'node_modules/kit/lib/other.js': 'module.exports = 1;',
  'node_modules/kit/lib/sub/index.js': 'module.exports = 1;',
  'node_modules/bare/package.json': '{ "name": "bare" }',
  'node_modules/bare/index.json': '{}',
};

const EXTENSIONS = 'js json node mjs cjs ts mts cts wasm jsc coffee'
  .split(' ')
  .map((one) => `.${one}`);

/** Additions, one at a time: files, and links to a file and to a directory. */
const ADDITIONS: [path: string, kind: Kind][] = [
  ...['kit/opt', 'kit/data', 'kit/gone', 'kit/lib', 'kit/lib/sub', 'kit/lib/opt', 'bare'].flatMap(
    (name) =>
      [...EXTENSIONS, ''].flatMap((extension): [string, Kind][] => [
        [`${name}${extension}`, 'file'],
        [`${name}/index${extension}`, 'file'],
        [`${name}${extension}`, 'link'],
      ]),
  ),
  ...['kit/opt', 'kit/gone', 'kit/lib', 'kit/lib/opt'].map((name): [string, Kind] => [
    `${name}/package.json`,
    'file',
  ]),
].map(([path, kind]) => [`node_modules/${path}`, kind as Kind]);

/** Prints the additions that change a result. */
const PROGRAM = `
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
const here = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname);
const additions = JSON.parse(process.argv[2]);
const requests = [
  './opt', './opt/', './data', './data/', './gone', './lib', './lib/', './lib/sub', './lib/sub/',
  './lib/opt', './lib/opt/', '.', './', 'kit', 'kit/opt', 'kit/data', 'bare', 'bare/index',
];
const attempt = (ask) => { try { return ask(); } catch ({ code }) { return code; } };
const ask = () => {
  const Module = createRequire(import.meta.url)('node:module');
  for (const key of Object.keys(Module._pathCache)) delete Module._pathCache[key];
  const { resolve } = createRequire(join(here, 'node_modules/kit/index.js'));
  return JSON.stringify([
    ...requests.map((request) => attempt(() => resolve(request))),
    ...['kit', 'bare'].map((name) => attempt(() => import.meta.resolve(name))),
  ]);
};
const before = ask();
const changing = [];
for (const [path, kind] of additions) {
  const file = join(here, path);
  if (existsSync(file)) continue;
  let top = file;
  while (!existsSync(dirname(top))) top = dirname(top);
  mkdirSync(dirname(file), { recursive: true });
  const to = path.includes('package.json') ? '{ "main": "/../data.js" }' : '';
  if (kind === 'link') symlinkSync(path.endsWith('js') ? 'data.js' : 'lib', file);
  else writeFileSync(file, to);
  if (ask() !== before) changing.push([path, kind]);
  rmSync(top, { recursive: true });
}
console.log(JSON.stringify({ changing, isSame: ask() === before }));`;

describe.concurrent.each(nodes)('$label', (node) => {
  test('each addition that changes a result is damage', async ({ expect }) => {
    const sandbox = await createSandbox({ node: node.path, linkAnnex: false });
    for (const [path, text] of Object.entries(INSTALLED)) sandbox.write(`app/${path}`, text);
    sandbox.write('app/ask.mjs', PROGRAM);
    const { stdout, stderr } = await sandbox.run(['ask.mjs', JSON.stringify(ADDITIONS)]);
    expect(stdout, stderr).not.toBe('');
    const { changing, isSame } = JSON.parse(stdout) as {
      changing: typeof ADDITIONS;
      isSame: boolean;
    };
    expect(isSame).toBe(true);
    expect(changing.length).toBeGreaterThan(30);
    const installed = new Map(Object.keys(INSTALLED).map((path) => [path, '']));
    const judge = createJudge(installed, new Set(), canWatchLoads(node.label.slice(1)));
    expect(changing.filter(([path, kind]) => judge(path, kind) !== 'matters')).toEqual([]);
  });
});
