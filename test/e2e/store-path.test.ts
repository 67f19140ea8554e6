/** The path of a store: spellings, later changes, and other files beside its entries. */
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'vitest';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';

const kit: PackageFixture = {
  name: 'kit',
  version: '1.0.0',
  files: {
    'index.js': `exports.marker = 'sound';\n`,
    'part.mjs': `export const marker = 'sound';\n`,
    'late.mjs': `export const marker = 'sound';\n`,
  },
  manifest: { main: './index.js' },
};

/** Runs expressions in sequence, and prints the result of each: its marker, or the code of an error. */
const PROGRAM = `
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { ensure } from 'annex';
const [,, kit, store, ...steps] = process.argv;
const require = createRequire(import.meta.url);
for (const step of steps) {
  try {
    const found = await eval(step);
    console.log(found?.marker ?? found?.where ?? 'done');
  } catch (error) {
    console.log(error.cause?.code ?? error.code);
  }
}`;

const load = {
  'by name': [`import('kit')`, `require('kit')`, `ensure('kit')`],
  'by path': [`import(kit + '/part.mjs')`, `require(kit + '/index.js')`],
};

async function open(node: NodeUnderTest) {
  const sandbox = await createSandbox({ node: node.path });
  sandbox.setCore({ features: { kit: '^1.0.0' } });
  const plant = (store: string): string =>
    sandbox.plantEntry({ store, feature: 'kit', packages: [kit], specs: { kit: '^1.0.0' } });
  const dir = join(plant(sandbox.store), 'node_modules/kit');
  sandbox.write('app/steps.mjs', PROGRAM);
  const run = async (
    steps: string[],
    { ANNEX_STORE = sandbox.store, flags = [] as string[] } = {},
  ) => {
    const env = { ANNEX_STORE, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'silent' };
    const args = [...flags.filter(Boolean), '--import', sandbox.loader, 'steps.mjs', dir];
    const ended = await sandbox.run([...args, sandbox.store, ...steps], { env });
    if (ended.stdout === '') throw new Error(ended.stderr);
    return ended.stdout.trim().split('\n');
  };
  /** Writes over a file of the entry. */
  const edit = (file: string, text: string): void => {
    chmodSync(join(dir, file), 0o644);
    writeFileSync(join(dir, file), text);
  };
  return { sandbox, dir, plant, run, edit };
}

describe.concurrent.each(nodes)('$label', (node) => {
  test.for(['STORE/', '/STORE', 'STORE//', 'BESIDE', 'none:STORE/', 'none:BESIDE/./'])(
    'ANNEX_STORE=%s names the same store',
    async (spelled, context) => {
      const { sandbox, run } = await open(node);
      const { core, store } = sandbox;
      const none = join(sandbox.root, 'none');
      const beside = `${core}/../${relative(dirname(core), store)}`;
      const ANNEX_STORE = spelled
        .replace('none', none)
        .replace('BESIDE', beside)
        .replace('STORE', store);
      const steps = [...load['by name'], ...load['by path']];
      const where = spelled.startsWith('none') ? 'layer' : 'store';
      const all = ['sound', 'sound', where, 'sound', 'sound'];
      context.expect(await run(steps, { ANNEX_STORE })).toEqual(all);
    },
  );

  test('a store whose path leads to another directory after the start is not used until the next start', async (context) => {
    const { sandbox, plant, run } = await open(node);
    const other = join(sandbox.root, 'other');
    plant(other);
    const swap = `fs.renameSync(store, store + '.old'); fs.symlinkSync('${other}', store)`;
    const steps = [swap, ...load['by name'], ...load['by path']];
    const refused = Array(5).fill('ANNEX_STORE_UNUSABLE');
    context.expect(await run(steps)).toEqual(['done', ...refused]);
    context.expect(await run(load['by name'])).toEqual(['sound', 'sound', 'store']);
  });

  test('a package that becomes a link after its first use loads no further file', async (context) => {
    const { sandbox, run } = await open(node);
    sandbox.write('planted/late.mjs', `export const marker = 'planted';`);
    const planted = join(sandbox.root, 'planted');
    const swap = `fs.renameSync(kit, kit + '.old'); fs.symlinkSync('${planted}', kit)`;
    const steps = [`import(kit + '/part.mjs')`, swap, `import(kit + '/late.mjs')`];
    const [first, second, third] = await run(steps);
    context.expect([first, second]).toEqual(['sound', 'done']);
    context.expect(third).toMatch(/^(ANNEX_INTEGRITY|ERR_MODULE_NOT_FOUND)$/);
  });

  test.for(['', '--preserve-symlinks'])(
    'an edited file does not run by an unusual spelling of its URL: flag "%s"',
    async (flag, context) => {
      const flags = [flag];
      const { dir, run, edit } = await open(node);
      const odd = [dir.replace(/part|kit$/, 'ki%74'), dir.replace('/v1/', '//v1//')];
      const steps = odd.map((path) => `import(${JSON.stringify(`file://${path}/part.mjs?x#y`)})`);
      context.expect(await run(steps, { flags })).toEqual(['sound', 'sound']);
      edit('part.mjs', `export const marker = 'edited';`);
      const refused = ['ANNEX_INTEGRITY', 'ANNEX_INTEGRITY'];
      context.expect(await run(steps, { flags })).toEqual(refused);
    },
  );

  test('a package in the store outside any entry is not found', async (context) => {
    const { sandbox, run } = await open(node);
    const places = ['v1/any/junk', 'v1/staging', `v1/any/KIT.${'0'.repeat(32)}.0`];
    for (const place of places) {
      for (const file of ['x.mjs', 'x.cjs']) {
        sandbox.write(join(sandbox.store, place, file), 'globalThis.hasRun = true;');
      }
    }
    symlinkSync(join(sandbox.store, 'v1/any/junk'), join(sandbox.core, 'link'));
    const paths = [...places.map((place) => join(sandbox.store, place, 'x')), './link/x'];
    const steps = paths.flatMap((path) => [`import('${path}.mjs')`, `require('${path}.cjs')`]);
    const found = await run([...steps, 'globalThis.hasRun && { marker: "ran" }']);
    context.expect(found).toEqual([...Array(steps.length).fill('ANNEX_INTEGRITY'), 'done']);
  });
});
