/** Damage that is met while a program runs: a module that is loaded already is not loaded again. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox } from '../support/sandbox.ts';

const count = (name: string): string =>
  `globalThis.ran ??= {};\nglobalThis.ran['${name}'] = (globalThis.ran['${name}'] ?? 0) + 1;\n`;

const kit = {
  name: 'kit',
  version: '1.0.0',
  files: {
    'index.mjs': `import './state.mjs';\nimport 'tool';\nexport const load = async () => { const { part } = await import('./late.mjs'); globalThis.part.push(part); };\n`,
    'state.mjs': count('state.mjs'),
    'late.mjs': `import './state.mjs';\nimport 'tool';\nexport { default as part } from './part.cjs';\n${count('late.mjs')}`,
    'part.cjs': 'exports.marker = true;',
    'index.cjs': `require('./state.cjs');\nrequire('tool');\nglobalThis.part = [require('./part.cjs')];\nexports.load = () => require('./late.cjs');\n`,
    'state.cjs': count('state.cjs'),
    'late.cjs': `require('./state.cjs');\nrequire('tool');\n${count('late.cjs')}`,
  },
};
const tool = {
  name: 'tool',
  version: '1.0.0',
  files: { 'index.mjs': count('tool.mjs'), 'index.cjs': count('tool.cjs') },
  manifest: { exports: { import: './index.mjs', require: './index.cjs' } },
};

/** Damages of the directory of the package, of which no load shows the sound file. */
const DAMAGES = {
  'a file that was removed': `rmSync(join(dir, 'late.mjs')); rmSync(join(dir, 'late.cjs'));`,
  'a package.json that was changed': `writeFileSync(join(dir, 'package.json'), '{ "name": "kit", "version": "1.0.1" }');
    rmSync(join(dir, 'late.mjs')); rmSync(join(dir, 'late.cjs'));`,
  'a dependency that was removed': `rmSync(join(dir, '../tool'), { recursive: true });`,
};

const write = (damage: string): string => `import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
const [,, dir] = process.argv;
const features = [await import('kit/index.mjs'), createRequire(import.meta.url)('kit/index.cjs')];
${damage}
for (const { load } of features) await load();
console.log(JSON.stringify({ ran: globalThis.ran, part: globalThis.part }));
`;

describe.each(nodes)('$label', (node) => {
  const isWatched = canWatchLoads(node.label.slice(1));

  test.for(Object.entries(DAMAGES))('%s', async ([, damage]) => {
    const sandbox = await createSandbox({ node: node.path });
    sandbox.setCore({ features: { kit: '*' } });
    const packages = [kit, tool] as const;
    const entry = sandbox.plantEntry({ feature: 'kit', packages, specs: { kit: '*' } });
    cpSync(entry, entry.replace(/0$/, '1'), { recursive: true });
    sandbox.write('app/main.mjs', write(damage));
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const dir = join(entry, 'node_modules/kit');
    const { stdout, stderr } = await sandbox.run(['--import', sandbox.loader, 'main.mjs', dir], {
      env,
    });
    expect(stdout, stderr).not.toBe('');
    const { ran: all, part } = JSON.parse(stdout);
    expect(part).toEqual([{ marker: true }, { marker: true }]);
    const ran = Object.entries(all).filter(([name]) => isWatched || name.endsWith('.cjs'));
    expect(ran).toHaveLength(isWatched ? 6 : 3);
    expect(ran.filter(([, times]) => times !== 1)).toEqual([]);
  });
});
