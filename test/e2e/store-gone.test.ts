/** A store that goes away under a running process: what cannot be loaded any more has a cause. */
import { describe, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { createSandbox } from '../support/sandbox.ts';

const lazy = (name: string, source: string, manifest: object) => ({
  name,
  version: '1.0.0',
  files: { 'index.js': source, 'part.js': '', 'sub.js': '' },
  manifest: { exports: { '.': './index.js', './sub': './sub.js' }, ...manifest },
});
const packages = [
  lazy('esm', `export const later = () => import('./part.js');`, { type: 'module' }),
  lazy('cjs', `exports.later = async () => require('./part.js');`, {}),
];

/** Loads one file of each package, has the store go away, and asks for more. */
const PROGRAM = `
import { mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const store = process.env.ANNEX_STORE;
const esm = await import('esm');
const cjs = require('cjs');
renameSync(store, store + '.away');
if (process.argv[2] === 'replaced') mkdirSync(store);
const attempt = (load) => load().then(() => 'loaded', ({ code, cause }) => [code, cause?.code, cause?.feature].join());
console.log(JSON.stringify({
  relative: await attempt(() => esm.later()),
  required: await attempt(() => cjs.later()),
  subpath: await attempt(() => import('esm/sub')),
  requiredSubpath: await attempt(async () => require('cjs/sub')),
}));`;

describe.concurrent.each(nodes)('$label', (node) => {
  test.for(['renamed', 'replaced'])('%s', async (how, { expect }) => {
    const sandbox = await createSandbox({ node: node.path });
    sandbox.setCore({ features: { esm: '*', cjs: '*' } });
    for (const pkg of packages) {
      sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
    }
    sandbox.write('app/main.mjs', PROGRAM);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const { stdout, stderr } = await sandbox.run(['--import', sandbox.loader, 'main.mjs', how], {
      env,
    });
    expect(stdout, stderr).not.toBe('');
    expect(JSON.parse(stdout)).toEqual({
      relative: 'ERR_MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,esm',
      required: 'MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,cjs',
      subpath: 'ERR_MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,esm',
      requiredSubpath: 'MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,cjs',
    });
  });
});
