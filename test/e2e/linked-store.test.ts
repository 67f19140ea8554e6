/** Store directories that are symbolic links: an entry outside the store is not valid. */
import { renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { openWorld } from '../support/world.ts';

/** The path that is a link, relative to an entry. */
const PLACES = [
  ['an entry', ''],
  ['an ABI directory', '..'],
  ['the version root', '../..'],
] as const;

/** Verifies an entry, replaces a path in it by a link to another copy, and then imports. */
const SWAPPED = `
import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from 'annex';
const { dir } = await ensure('alpha');
const place = join(dir, process.argv[2]);
const moved = process.env.ANNEX_STORE + '.moved';
renameSync(place, moved);
writeFileSync(join(moved, process.argv[3]), 'export const marker = "swapped";');
symlinkSync(moved, place);
const seen = await import('alpha').then(({ marker }) => marker, ({ code }) => code);
console.log(seen);
`;

/** A package whose files request others of it, and a dependency. */
const asker = {
  ...esmPackage('asker', '1.0.0', 'sound'),
  files: {
    'index.js': `import { createRequire } from 'node:module';
export const require = createRequire(import.meta.url);
export const load = (specifier) => import(specifier);
`,
    ...Object.fromEntries(
      ['lib', '.'].flatMap((dir) => [
        [`${dir}/a.js`, 'export const marker = "sound";'],
        [`${dir}/b.js`, 'export const marker = "sound";'],
        [`${dir}/a.cjs`, 'exports.marker = "sound";'],
        [`${dir}/b.cjs`, 'exports.marker = "sound";'],
      ]),
    ),
  },
};

/** Resolves a file of each kind, replaces its directory by a link to a copy, and requests the file beside it. */
const BESIDE = `
import { cpSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, require } from 'asker';
const dir = dirname(fileURLToPath(import.meta.resolve('asker')));
const at = (name) => './' + join(process.argv[2], name);
const requests = [() => load(at('b.js')), () => load(at('b.cjs')), () => require(at('b.cjs')), () => import(join(dir, at('b.js')))];
await load(at('a.js'));
require(at('a.cjs'));
const place = join(dir, process.argv[2]);
const moved = process.env.ANNEX_STORE + '.moved';
cpSync(place, moved, { recursive: true });
writeFileSync(join(moved, 'b.js'), 'export const marker = "swapped";');
writeFileSync(join(moved, 'b.cjs'), 'exports.marker = "swapped";');
renameSync(place, place + '.old');
symlinkSync(moved, place);
for (const request of requests) {
  try { console.log((await request()).marker); } catch ({ code }) { console.log(code); }
}
`;

describe.concurrent.each(nodes)('$label', (node) => {
  for (const verify of ['load', 'first-use', 'off']) {
    for (const [what, place] of [
      ['a directory of a package', 'lib'],
      ['a package', '.'],
    ] as const) {
      test(`${what} becomes a link after a file of it was loaded: no other is found, "verify": "${verify}"`, async () => {
        const annex = { features: { asker: '^1.0.0' } };
        const { sandbox } = await openWorld({ packages: [], annex, node: node.path });
        sandbox.plantEntry({ feature: 'asker', packages: [asker], specs: annex.features });
        sandbox.write('app/beside.mjs', BESIDE);
        const ANNEX_CONFIG = sandbox.write('operator.json', { verify });
        const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_CONFIG };
        const args = ['--import', sandbox.loader, 'beside.mjs', place];
        const { stdout, stderr } = await sandbox.run(args, { env });
        expect(stdout, stderr).toMatch(/^(?:(?:ERR_)?MODULE_NOT_FOUND\n){4}$/);
      });
    }
  }
  for (const [what, place, file] of [
    ['an entry', '', 'node_modules/alpha/index.js'],
    ['a package', 'node_modules/alpha', 'index.js'],
  ] as const) {
    test(`${what} that becomes a link after it was verified is not found`, async () => {
      const annex = { features: { alpha: '^1.0.0' } };
      const { sandbox } = await openWorld({ packages: [], annex, node: node.path });
      const packages = [esmPackage('alpha', '1.0.0', 'sound')] as const;
      sandbox.plantEntry({ feature: 'alpha', packages, specs: annex.features });
      sandbox.write('app/swapped.mjs', SWAPPED);
      const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
      const args = ['--import', sandbox.loader, 'swapped.mjs', place, file];
      const { stdout, stderr } = await sandbox.run(args, { env });
      expect(stdout, stderr).toBe('ERR_MODULE_NOT_FOUND\n');
    });
  }
  for (const [what, linked] of PLACES) {
    test(`${what} that is a link out of the store is not used, and the error says why`, async () => {
      const annex = { features: { alpha: '^1.0.0' } };
      const { sandbox } = await openWorld({ packages: [], annex, node: node.path });
      const packages = [esmPackage('alpha', '1.0.0', 'moved')] as const;
      const entry = sandbox.plantEntry({ feature: 'alpha', packages, specs: annex.features });
      const place = join(entry, linked);
      const moved = join(dirname(sandbox.store), 'moved');
      renameSync(place, moved);
      symlinkSync(moved, place);
      const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
      const { imported } = await importIn(sandbox, ['alpha'], { env });
      expectRefused(
        imported.alpha,
        'ANNEX_DENIED',
        /is a symbolic link, which annex does not follow|is reached by a link/,
      );
      expect(imported.alpha).not.toHaveProperty('marker');
    });
  }
});
