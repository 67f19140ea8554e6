/** Libraries that swallow or replace the error of a missing package: one line on stderr says why it is missing. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { FORM, splitLines } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

/** Like sequelize and typeorm: another error, without a cause. */
const CJS = `exports.connect = (name) => {
  try { return require(name).marker; } catch { throw new Error('Please install ' + name + ' manually'); }
};`;
const ESM = `export const connect = async (name) => {
  try { return (await import(name)).marker; } catch { throw new Error('Please install ' + name + ' manually'); }
};`;
/** Requests each package from each library, twice. */
const PROGRAM = `
const names = process.argv.slice(2);
for (const library of ['orm-cjs', 'orm-esm']) {
  const { connect } = await import(library);
  for (const name of [...names, ...names]) {
    try { console.log(await connect(name)); } catch ({ message }) { console.log(message); }
  }
}`;
const WORKERS = `
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
await import('./main.mjs');
for (let turn = 0; turn < 2; turn++) await once(new Worker('./main.mjs', { argv: process.argv.slice(2) }), 'exit');
`;

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry([cjsPackage('pg', '1.0.0', 'pg')]);
});

describe.each(nodes)('$label', (node) => {
  async function open(annex: object = {}) {
    const sandbox = await createSandbox({ registry, node: node.path });
    sandbox.setCore({ features: { pg: '^1.0.0', absent: '^1.0.0' }, ...annex });
    const modules = join(sandbox.core, 'node_modules');
    sandbox.addPackage(modules, {
      ...cjsPackage('orm-cjs', '1.0.0', ''),
      files: { 'index.js': CJS },
    });
    sandbox.addPackage(modules, {
      ...esmPackage('orm-esm', '1.0.0', ''),
      files: { 'index.js': ESM },
    });
    sandbox.write('app/main.mjs', PROGRAM);
    sandbox.write('app/workers.mjs', WORKERS);
    /** @returns the lines on stderr */
    const run = async (args: string[], env: Record<string, string> = {}): Promise<string[]> => {
      const { code, stdout, stderr } = await sandbox.run(['--import', sandbox.loader, ...args], {
        env: { ANNEX_STORE: sandbox.store, ...env },
      });
      expect(code, stderr).toBe(0);
      expect(stdout).toContain(`Please install ${args.at(-1)} manually`);
      return splitLines(stderr).filter((line) => !line.includes('blocked this thread for'));
    };
    return { sandbox, run };
  }

  test('a library that may not start an install: one line for each feature, with a hint', async () => {
    const { run } = await open();
    const lines = await run(['main.mjs', 'pg', 'absent']);
    expect(lines.map((line) => FORM.exec(line)?.groups)).toMatchObject([
      { feature: 'pg', code: 'ANNEX_DENIED', hint: expect.stringMatching(/annex\.importers/) },
      { feature: 'absent', code: 'ANNEX_DENIED' },
    ]);
    expect(lines[0]).toContain(', asked by node_modules/orm-cjs/index.js. ');
  });

  test('installs are off: one line, which names the switch', async () => {
    const { run } = await open({ importers: ['orm-cjs', 'orm-esm'] });
    const lines = await run(['main.mjs', 'pg'], { ANNEX_ALLOW_INSTALLS: '0' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/ANNEX_DENIED\): installs are switched off by ANNEX_ALLOW_INSTALLS/);
  });

  test('a failed install: one line; remembered, in another process: one line with the next try', async () => {
    const { run } = await open({ importers: ['orm-cjs', 'orm-esm'] });
    const [started, failed, ...rest] = await run(['main.mjs', 'absent']);
    expect(started).toContain('annex: installing absent');
    expect(failed).toMatch(/^annex: absent unavailable \(ANNEX_INSTALL_FAILED\)/);
    expect(rest).toEqual([]);
    const lines = await run(['main.mjs', 'absent']);
    expect(lines).toEqual([expect.stringMatching(/ANNEX_INSTALL_FAILED.*Next try at/)]);
  });

  test('workers do not repeat the line', async () => {
    const { run } = await open();
    expect(await run(['workers.mjs', 'pg'])).toHaveLength(1);
  });

  test('the line has level info: it is not printed at level error', async () => {
    const { run } = await open();
    expect(await run(['main.mjs', 'pg'], { ANNEX_LOG: 'error' })).toEqual([]);
    const [line = ''] = await run(['main.mjs', 'pg'], { ANNEX_LOG: 'json' });
    expect(JSON.parse(line)).toMatchObject({ level: 'info' });
  });
});
