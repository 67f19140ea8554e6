/** `annex uninstall` beside processes that import: what was removed on purpose has not failed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'from-registry')];

for (const node of outerNodes) {
  describe(node.label, () => {
    test('an entry that is removed as soon as it is installed is remembered as no failure', async (context) => {
      const annex = { features: { alpha: '^1.0.0' } };
      const { sandbox } = await openWorld(context, { packages, annex });
      mkdirSync(join(sandbox.store, 'v1/any'), { recursive: true });
      const program = join(repositoryRoot, 'test/support/remover.mjs');
      const remover = spawn(process.execPath, [program, sandbox.store]);
      context.onTestFinished(() => void remover.kill('SIGKILL'));
      await once(remover.stdout, 'data');
      const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
      const { imported } = await importIn(sandbox, ['alpha'], options);
      expectRefused(
        imported.alpha,
        'ANNEX_INSTALL_FAILED',
        /another process removed it|no valid entry stands in the store: none is there/,
        'alpha',
      );
      remover.kill('SIGKILL');
      await once(remover, 'exit');
      expect(readdirSync(join(sandbox.store, 'v1/failures'))).toEqual([]);
      const again = await importIn(sandbox, ['alpha'], options);
      expect(again.imported.alpha).toMatchObject({ marker: 'from-registry' });
    });
  });
}
