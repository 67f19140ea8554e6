/** Every spelling of a path in an entry: Node's answer while nothing is damaged, and no edited file runs. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** With repeated slashes, and slashes at the end. */
const IMPORTED = [
  './x.mjs',
  './/x.mjs',
  './x.mjs/',
  './a/..//x.mjs',
  '..//kit//x.mjs?q#h',
  './/x.cjs',
  '..//tool/index.mjs',
  'tool//index.mjs',
  '#twice',
  '#tool',
];
const REQUIRED = ['.//x.cjs', './x.cjs/', '..//kit//x', './/a//', 'tool//index.cjs', '#common'];

const writeModule = (url: string) =>
  `export const marker = ${url}.split('/node_modules/').pop();\n`;
const SCRIPT = `exports.marker = __filename.split('/node_modules/').pop();\n`;

const ASK = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const attempt = async (load) => {
  try {
    const found = await load();
    return String(found.marker ?? found.default?.marker ?? found).split('/node_modules/').pop();
  } catch ({ code, cause }) { return cause?.code ?? code; }
};
export const ask = async (imported, required) => {
  const seen = {};
  for (const text of imported) {
    seen['import ' + text] = await attempt(() => import(text));
    seen['resolve ' + text] = await attempt(() => import.meta.resolve(text));
  }
  for (const text of required) seen['require ' + text] = await attempt(() => require(text));
  return seen;
};
`;

const MAIN = `import { ask } from 'kit/ask.mjs';
console.log(JSON.stringify(await ask(...JSON.parse(process.argv[2]))));
`;

const kit = {
  name: 'kit',
  version: '1.0.0',
  files: {
    'ask.mjs': ASK,
    'x.mjs': writeModule('import.meta.url'),
    'x.cjs': SCRIPT,
    'a/index.js': SCRIPT,
  },
  manifest: {
    imports: { '#twice': './/x.mjs', '#tool': 'tool//index.mjs', '#common': './/x.cjs' },
  },
};
const tool = {
  name: 'tool',
  version: '1.0.0',
  files: { 'index.mjs': writeModule('import.meta.url'), 'index.cjs': SCRIPT },
};
const FILES = ['kit/x.mjs', 'kit/x.cjs', 'kit/a/index.js', 'tool/index.mjs', 'tool/index.cjs'];

describe.each(nodes)('$label', (node) => {
  let sandbox: Sandbox;
  let entry: string;
  beforeAll(async () => {
    sandbox = await createSandbox({ node: node.path });
    sandbox.setCore({ features: { kit: '*' } });
    entry = sandbox.plantEntry({ feature: 'kit', packages: [kit, tool], specs: { kit: '*' } });
    for (const pkg of [kit, tool]) sandbox.addPackage('plain/node_modules', pkg);
    for (const place of ['app', 'plain']) sandbox.write(`${place}/main.mjs`, MAIN);
  });
  const run = async (flags: string[], cwd = 'app', asked = [IMPORTED, REQUIRED]) => {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'silent' };
    return sandbox.run([...flags, 'main.mjs', JSON.stringify(asked)], { env, cwd });
  };
  const preload = () => ['--import', sandbox.loader];

  test.for([{ flags: [] }, { flags: ['--preserve-symlinks'] }])(
    'each gets the answer of plain Node: $flags',
    async ({ flags }) => {
      const { stdout, stderr } = await run([...flags, ...preload()]);
      expect(stdout, stderr).not.toBe('');
      const plain = JSON.parse((await run(flags, 'plain')).stdout);
      expect(JSON.parse(stdout)).toEqual(plain);
      expect(plain['import .//x.mjs']).toBe(flags.length > 0 ? 'kit//x.mjs' : 'kit/x.mjs');
    },
  );

  test.for([
    { asked: [['..//kit//x.mjs?q#h'], []] },
    { asked: [['.//x.cjs'], []] },
    { asked: [['tool//index.mjs'], []] },
    { asked: [[], ['.//x.cjs']] },
    { asked: [[], ['.//a//']] },
  ])('an edited file does not run by $asked', async ({ asked }) => {
    for (const file of FILES) {
      appendFileSync(join(entry, 'node_modules', file), "\nconsole.log('EVIL');\n");
    }
    const { stdout, stderr } = await run(['--preserve-symlinks', ...preload()], 'app', asked);
    expect(stdout).not.toContain('EVIL');
    expect(stdout + stderr).toContain('ANNEX_INTEGRITY');
  });
});
