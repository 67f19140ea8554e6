/** G5: an addon of an entry, and a shared library that it needs, that are not what was installed are not loaded. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, test } from 'vitest';
import { type Compiled, compileAddon } from '../support/addon.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import { findProgram } from '../support/programs.ts';
import { createSandbox } from '../support/sandbox.ts';

let compiled: Compiled;

/** Changes of the directory of the addon, as JavaScript; `evil` has an addon and a library that say so. */
const CHANGES: Record<string, string> = {
  'an addon that was replaced': `put('addon.node', 'evil.node');`,
  'an addon that is a link': `rmSync(at('addon.node')); symlinkSync(join(evil, 'evil.node'), at('addon.node'));`,
  'a library that was replaced': `put('libwho.so', 'evil.so');`,
  'a library that is a link': `rmSync(at('libwho.so')); symlinkSync(join(evil, 'evil.so'), at('libwho.so'));`,
  'a library that was added where the linker searches first': `put('early/libwho.so', 'evil.so');`,
  'a library that was added for a kind of processor': `put('glibc-hwcaps/x86-64-v2/libwho.so', 'evil.so');`,
  'a directory of the linker that is a link': `symlinkSync(evil, at('early')); put('libwho.so', 'evil.so', evil);`,
};

const PREAMBLE = `
import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
const [,, dir, evil] = process.argv;
const at = (path) => join(dir, path);
const put = (path, from, to = dir) => {
  mkdirSync(dirname(join(to, path)), { recursive: true });
  rmSync(join(to, path), { force: true });
  copyFileSync(join(evil, from), join(to, path));
};
`;

/** Ways to load the addon; the package itself loads it when it is asked. */
const LOAD = `
const require = createRequire(import.meta.url);
const ways = {
  package: (await import('kit')).load,
  path: () => require(at('addon.node')),
  subpath: () => require('kit/addon'),
  dlopen: () => { const made = { exports: {} }; process.dlopen(made, at('addon.node')); return made.exports; },
};
`;
const ASK = `
let said;
try { said = ways[process.argv[4]]().marker; } catch (error) { said = error.cause?.code ?? error.code; }
console.log(said);
`;

async function open(node: NodeUnderTest) {
  const sandbox = await createSandbox({ node: node.path });
  sandbox.setCore({ features: { kit: '*' } });
  const kit = {
    name: 'kit',
    version: '1.0.0',
    files: {
      'index.js': `exports.load = () => require('./addon.node');`,
      'addon.node': compiled.addon,
      'libwho.so': compiled.library,
    },
  };
  const entry = sandbox.plantEntry({ feature: 'kit', packages: [kit], specs: { kit: '*' } });
  const evil = join(sandbox.root, 'evil');
  sandbox.write('evil/readme', '');
  writeFileSync(join(evil, 'evil.node'), compiled.evilAddon);
  writeFileSync(join(evil, 'evil.so'), compiled.evilLibrary);
  const run = async (name: string, source: string, way: string): Promise<string> => {
    const file = sandbox.write(`app/${name}.mjs`, PREAMBLE + source);
    const flags = name === 'change' ? [] : ['--import', sandbox.loader];
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'silent' };
    const args = [...flags, file, join(entry, 'node_modules/kit'), evil, way];
    const { stdout, stderr } = await sandbox.run(args, { env });
    return stdout.trim() || stderr;
  };
  return run;
}

/** \`process.dlopen\` by itself is not a request. */
const WAYS = ['package', 'path', 'subpath'];

describe.runIf(findProgram('cc') !== undefined)('addons', () => {
  beforeAll(() => {
    compiled = compileAddon();
  });

  describe.each(nodes)('$label', (node) => {
    test('the installed addon is loaded in every way', async ({ expect }) => {
      const run = await open(node);
      const said = await Promise.all(
        [...WAYS, 'dlopen'].map((way, at) => run(`load${at}`, LOAD + ASK, way)),
      );
      expect(said).toEqual(['sound', 'sound', 'sound', 'sound']);
    });

    test.for(Object.entries(CHANGES))('%s before the start', async ([, change], { expect }) => {
      const run = await open(node);
      await run('change', change, '');
      for (const way of WAYS) expect(await run('load', LOAD + ASK, way)).not.toBe('EVIL');
    });

    test.for(Object.entries(CHANGES).slice(0, 2))(
      '%s after its package was first used',
      async ([, change], { expect }) => {
        for (const way of WAYS) {
          const run = await open(node);
          expect(await run('load', `${LOAD}{ ${change} }${ASK}`, way)).toMatch(
            /^(?:ANNEX_INTEGRITY|MODULE_NOT_FOUND)$/,
          );
        }
      },
    );
  });
});
