/** G5: a file of an entry that changes under a running process does not run: CommonJS on every Node, the rest where a load hook sees it. */
import { describe, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { openWorld } from '../support/world.ts';

const lazy = {
  ...esmPackage('lazy', '1.0.0', 'lazy'),
  files: {
    'index.js': `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const attempt = async (load) => {
  try { return { ...(await load()) }.marker; } catch (error) { return error.cause?.code ?? error.code; }
};
export const later = async () => ({
  module: await attempt(() => import('./part/module.js')),
  again: await attempt(() => import('./part/module.js?v=2')),
  script: await attempt(() => require('./part/script.cjs')),
  data: await attempt(() => require('./part/data.json')),
  imported: await attempt(() => import('./part/script.cjs')),
});
`,
    'part/module.js': `export const marker = 'sound';`,
    'part/script.cjs': `exports.marker = 'sound';`,
    'part/data.json': '{ "marker": "sound" }',
  },
};

/** Changes of the directory of files that the program loads later; `other` is an edited copy. */
const CHANGES = {
  'the files are edited': `for (const name of readdirSync(part)) {
    rmSync(join(part, name)); cpSync(join(other, name), join(part, name)); }`,
  'the files become links': `for (const name of readdirSync(part)) {
    rmSync(join(part, name)); symlinkSync(join(other, name), join(part, name)); }`,
  'the directory becomes a link': `renameSync(part, part + '.old'); symlinkSync(other, part);`,
};

const write = (change: string): string => `import { later } from 'lazy';
import { chmodSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
const [,, other] = process.argv;
const part = join(dirname(fileURLToPath(import.meta.resolve('lazy'))), 'part');
chmodSync(part, 0o755); chmodSync(dirname(part), 0o755);
cpSync(part, other, { recursive: true });
for (const name of readdirSync(other)) {
  const file = join(other, name);
  const text = readFileSync(file, 'utf8').replace('sound', 'EVIL');
  rmSync(file); writeFileSync(file, text);
}
${change}
console.log(JSON.stringify(await later()));
`;

const asked = {
  ...esmPackage('asked', '1.0.0', 'asked', {
    exports: { '.': './index.js', './*': './*' },
    dependencies: { tool: '^1.0.0' },
  }),
  files: {
    'index.js': `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
export const find = () => require.resolve('tool');
export const findOwn = () => import.meta.resolve('./own.js');
export const load = () => import('./own.js');
`,
    'named.js': `export const marker = 'sound';`,
    'own.js': `export const marker = 'sound';`,
    'path.js': `export const marker = 'sound';`,
  },
};

/** Resolves files, replaces them by links, and requests them again. */
const RESOLVED = `import { find, findOwn, load } from 'asked';
import { chmodSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
const [,, evil] = process.argv;
const dir = dirname(fileURLToPath(import.meta.resolve('asked/named.js')));
const path = join(dir, 'path.js');
import.meta.resolve(path);
findOwn();
const tool = dirname(find());
writeFileSync(evil, "export const marker = 'EVIL';");
for (const each of [dir, dirname(dir)]) chmodSync(each, 0o755);
for (const name of ['named.js', 'own.js', 'path.js']) {
  rmSync(join(dir, name));
  symlinkSync(evil, join(dir, name));
}
renameSync(tool, evil + '.tool');
symlinkSync(evil + '.tool', tool);
const seen = {};
const requests = { named: () => import('asked/named.js'), path: () => import(path), own: load, tool: find };
for (const [name, request] of Object.entries(requests)) {
  try { seen[name] = (await request()).marker ?? 'found'; } catch (error) { seen[name] = error.code; }
}
console.log(JSON.stringify(seen));
`;

for (const node of nodes) {
  test(`a file that was resolved, and then became a link out of the entry, is not found, ${node.label}`, async ({
    expect,
  }) => {
    const { sandbox } = await openWorld({
      packages: [asked, cjsPackage('tool', '1.0.0', 'tool')],
      annex: { features: { asked: '^1.0.0' } },
      node: node.path,
    });
    await lock(sandbox);
    const env = { ANNEX_STORE: sandbox.store };
    await sandbox.annex(['install', 'asked'], { env });
    sandbox.write('app/resolved.mjs', RESOLVED);
    const { stdout, stderr } = await sandbox.run(
      ['--import', sandbox.loader, 'resolved.mjs', `${sandbox.root}/evil.mjs`],
      { env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } },
    );
    expect(stdout, stderr).not.toBe('');
    expect(JSON.parse(stdout)).toEqual({
      named: 'ERR_MODULE_NOT_FOUND',
      path: 'ERR_MODULE_NOT_FOUND',
      own: 'ERR_MODULE_NOT_FOUND',
      tool: 'MODULE_NOT_FOUND',
    });
  });

  const canWatch = canWatchLoads(node.label.slice(1));
  /** If no load hook sees ES modules and JSON, only CommonJS is watched. */
  const changes = canWatch ? CHANGES : { 'the files are edited': CHANGES['the files are edited'] };
  describe.concurrent(node.label, () => {
    for (const [what, change] of Object.entries(changes)) {
      test(`${what} after the first use: no watched file runs`, async ({ expect }) => {
        const annex = { features: { lazy: '^1.0.0' } };
        const { sandbox } = await openWorld({ packages: [lazy], annex, node: node.path });
        await lock(sandbox);
        sandbox.write('app/lazy.mjs', write(change));
        const run = async (more: Record<string, string>) => {
          const env = { ANNEX_STORE: sandbox.store, ...more };
          const args = ['--import', sandbox.loader, 'lazy.mjs', `${sandbox.root}/other`];
          const { stdout, stderr } = await sandbox.run(args, { node: node.path, env });
          expect(stdout, stderr).not.toBe('');
          return JSON.parse(stdout) as Record<string, string>;
        };
        await sandbox.annex(['install', 'lazy'], {
          node: node.path,
          env: { ANNEX_STORE: sandbox.store },
        });
        for (const [name, got] of Object.entries(await run({ ANNEX_ALLOW_INSTALLS: '0' }))) {
          if (!canWatch && name !== 'script' && name !== 'imported') continue;
          expect(got, name).toMatch(/^(?:ANNEX_INTEGRITY|(?:ERR_)?MODULE_NOT_FOUND)$/);
        }
      });
    }
  });
}
