/** A pipe in place of a file of an entry is refused without blocking a running process. */
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { findProgram } from '../support/programs.ts';
import { createSandbox } from '../support/sandbox.ts';

const lazy = (name: string, source: string, manifest: object) => ({
  name,
  version: '1.0.0',
  files: { 'index.js': source, 'part.js': '', 'data.json': '{}', 'sub.js': '' },
  manifest: { exports: { '.': './index.js', './sub': './sub.js' }, ...manifest },
});
const packages = [
  lazy(
    'esm',
    `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    export const imports = () => import('./part.js');
    export const requires = async () => require('./part.js');`,
    { type: 'module' },
  ),
  lazy(
    'cjs',
    `exports.imports = () => import('./part.js');
    exports.requires = async () => require('./part.js');
    exports.json = async () => require('./data.json');`,
    {},
  ),
];

/** Loads one file of each package, replaces all others by pipes, and requests them. */
const PROGRAM = `
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const esm = await import('esm');
const cjs = require('cjs');
for (const file of process.argv.slice(2)) {
  rmSync(file);
  execFileSync('mkfifo', [file]);
}
const attempt = (load) => load().then(() => 'loaded', ({ code, cause }) => [code, cause?.code, cause?.feature].join());
console.log(JSON.stringify({
  esmImports: await attempt(esm.imports),
  esmRequires: await attempt(esm.requires),
  cjsImports: await attempt(cjs.imports),
  cjsRequires: await attempt(cjs.requires),
  json: await attempt(cjs.json),
  subpath: await attempt(() => import('esm/sub')),
  requiredSubpath: await attempt(async () => require('cjs/sub')),
}));`;

describe.runIf(findProgram('mkfifo') !== undefined)('pipes', () => {
  for (const node of nodes) {
    test.concurrent(node.label, async ({ expect }) => {
      const sandbox = await createSandbox({ node: node.path });
      sandbox.setCore({ features: { esm: '*', cjs: '*' } });
      const files = packages.flatMap((pkg) => {
        const specs = { [pkg.name]: '*' };
        const entry = sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs });
        const names = ['part.js', 'data.json', 'sub.js'];
        return names.map((name) => join(entry, 'node_modules', pkg.name, name));
      });
      sandbox.write('app/main.mjs', PROGRAM);
      const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
      const { stdout, stderr } = await sandbox.run(
        ['--import', sandbox.loader, 'main.mjs', ...files],
        { env },
      );
      expect(stdout, stderr).not.toBe('');
      expect(JSON.parse(stdout)).toEqual({
        esmImports: 'ERR_MODULE_NOT_FOUND,ANNEX_INTEGRITY,esm',
        esmRequires: 'MODULE_NOT_FOUND,ANNEX_INTEGRITY,esm',
        cjsImports: 'ERR_MODULE_NOT_FOUND,ANNEX_INTEGRITY,cjs',
        cjsRequires: 'MODULE_NOT_FOUND,ANNEX_INTEGRITY,cjs',
        json: 'MODULE_NOT_FOUND,ANNEX_INTEGRITY,cjs',
        subpath: 'ERR_MODULE_NOT_FOUND,ANNEX_INTEGRITY,esm',
        requiredSubpath: 'MODULE_NOT_FOUND,ANNEX_INTEGRITY,cjs',
      });
    });
  }
});
