/** Directories of a store that are links: an entry that lies elsewhere in truth is none. */
import { renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { openWorld } from '../support/world.ts';

/** What is a link, relative to an entry. */
const PLACES = [
  ['an entry', ''],
  ['an ABI directory', '..'],
  ['the version root', '../..'],
] as const;

for (const node of nodes) {
  describe.concurrent(node.label, () => {
    for (const [what, linked] of PLACES) {
      test(`${what} that is a link out of the store: not used, and the reason`, async (context) => {
        const annex = { features: { alpha: '^1.0.0' } };
        const { sandbox } = await openWorld(context, { packages: [], annex, node: node.path });
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
          /is a symbolic link, which annex does not follow|leads out of its store/,
        );
        expect(imported.alpha).not.toHaveProperty('marker');
      });
    }
  });
}
