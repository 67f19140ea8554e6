/** G5: CommonJS of an entry is verified even if a program changes `Module.prototype`. */
import { describe, type TestContext, test } from 'vitest';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';
import { asPlainUser, giveTo } from '../support/user.ts';

const sound = `exports.marker = 'sound';\n`;

const kit: PackageFixture = {
  name: 'kit',
  version: '1.0.0',
  files: {
    'index.js': sound,
    ...Object.fromEntries(
      ['value', 'accessor', 'assigned', 'frozen'].flatMap((way) => [
        [`${way}/whole.js`, sound],
        [`${way}/required.js`, sound],
        [`${way}/imported.js`, sound],
      ]),
    ),
  },
  manifest: { main: './index.js' },
};

/** Runs a program in an application whose feature `kit` is in the store; returns its parsed output. */
async function run({ expect }: TestContext, node: NodeUnderTest, source: string): Promise<unknown> {
  const sandbox = await createSandbox({ node: node.path });
  sandbox.setCore({ features: { kit: '*' } });
  const entry = sandbox.plantEntry({ feature: 'kit', packages: [kit], specs: { kit: '*' } });
  sandbox.write('app/main.cjs', `${PREAMBLE}${source}`);
  giveTo(asPlainUser, sandbox.root);
  const { stdout, stderr } = await sandbox.run(
    ['--import', sandbox.loader, 'main.cjs', `${entry}/node_modules/kit`],
    {
      env: { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' },
      ...asPlainUser,
    },
  );
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout);
}

const PREAMBLE = `
const Module = require('node:module');
const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const [,, dir] = process.argv;
const attempt = async (load) => {
  try { return (await load()).marker; } catch (error) { return [error.code, error.cause?.code]; }
};
const edit = (file) => { rmSync(file); writeFileSync(file, "exports.marker = 'EVIL'"); };
`;

/** Replaces what compiles by a function that changes texts, in each of the ways in which tools do it. */
const REPLACE = `
const makePatch = (compile, way) => function (text, ...rest) {
  return compile.call(this, text.replace("'sound'", "'" + way + "'"), ...rest);
};
const { prototype } = Module;
const define = (descriptor) => Object.defineProperty(prototype, '_compile', descriptor);
const WAYS = {
  value: () => define({
    value: makePatch(prototype._compile, 'value'), writable: true, configurable: true, enumerable: true,
  }),
  accessor: () => {
    const before = Object.getOwnPropertyDescriptor(prototype, '_compile');
    define({
      get() { return makePatch(before.get.call(this), 'accessor'); },
      set: before.set, configurable: true, enumerable: true,
    });
  },
  assigned: () => { prototype._compile = makePatch(prototype._compile, 'assigned'); },
  frozen: () => define({ value: makePatch(prototype._compile, 'frozen'), writable: false, configurable: false }),
};
(async () => {
  require('kit');
  const seen = {};
  for (const [way, replace] of Object.entries(WAYS)) {
    replace();
    edit(join(dir, way, 'required.js'));
    edit(join(dir, way, 'imported.js'));
    seen[way] = [
      await attempt(() => require('kit/' + way + '/whole.js')),
      await attempt(() => require('kit/' + way + '/required.js')),
      await attempt(() => import('kit/' + way + '/imported.js')),
    ];
  }
  console.log(JSON.stringify(seen));
})();`;

/** Loads a planted file, and compiles its own sources under other names. */
const PLANTED = `
(async () => {
  require('kit');
  const load = (file) => { const made = new Module(file); made.load(file); return made.exports; };
  const compile = (file, text) => {
    const made = new Module(file);
    made.filename = file;
    made._compile(text, file);
    return made.exports;
  };
  const compileUnnamed = (file, text) => {
    const made = new Module(file);
    made._compile(text, file);
    return made.exports;
  };
  mkdirSync(join(dir, 'cache'));
  const file = join(dir, 'cache', 'planted.js');
  writeFileSync(file, "exports.marker = 'EVIL'");
  console.log(JSON.stringify({
    required: await attempt(() => require(file)),
    imported: await attempt(() => import(file)),
    loaded: await attempt(() => load(file)),
    compiled: await attempt(() => compile(file, "exports.marker = 'another'")),
    unnamed: await attempt(() => compileUnnamed(file, "exports.marker = 'EVIL'")),
    elsewhere: await attempt(() => compileUnnamed('/nowhere/file.js', "exports.marker = 'elsewhere'")),
    installed: await attempt(() => load(join(dir, 'index.js'))),
    virtual: await attempt(() => compile(join(dir, 'no-file.js'), "exports.marker = 'virtual'")),
    below: await attempt(() => compile(join(dir, 'index.js', 'part'), "exports.marker = 'below'")),
    directory: await attempt(() => compile(dir, "exports.marker = 'directory'")),
  }));
})();`;

const REQUIRED = ['MODULE_NOT_FOUND', 'ANNEX_INTEGRITY'];
const IMPORTED = ['ERR_MODULE_NOT_FOUND', 'ANNEX_INTEGRITY'];

describe.concurrent.each(nodes)('$label', (node) => {
  test('a tool that replaces _compile after the first use sees whole files, and damaged ones do not run', async (context) => {
    context.expect(await run(context, node, REPLACE)).toEqual({
      value: ['value', REQUIRED, IMPORTED],
      accessor: ['accessor', REQUIRED, IMPORTED],
      assigned: ['accessor', REQUIRED, IMPORTED],
      frozen: [REQUIRED, REQUIRED, IMPORTED],
    });
  });

  test('a file that was not installed does not run, however its text is compiled', async (context) => {
    context.expect(await run(context, node, PLANTED)).toEqual({
      required: REQUIRED,
      imported: IMPORTED,
      loaded: REQUIRED,
      compiled: REQUIRED,
      unnamed: REQUIRED,
      elsewhere: 'elsewhere',
      installed: 'sound',
      virtual: 'virtual',
      below: 'below',
      directory: 'directory',
    });
  });
});
