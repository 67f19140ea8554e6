/** `annex uninstall` beside running installs: a removed entry is not remembered as a failure. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'from-registry')];

/** Removes an entry as soon as it is published, as `annex uninstall` does. */
const REMOVER = `
const fs = require('node:fs');
const { renameSync } = fs;
fs.renameSync = (from, to) => {
  renameSync(from, to);
  if (/\\/alpha\\.[0-9a-f]{32}\\.\\d+$/.test(to)) renameSync(to, process.env.REMOVED);
};
require('node:module').syncBuiltinESMExports();`;

describe.each(outerNodes)('$label', (node) => {
  test('an entry that is removed as soon as it is installed is not remembered as a failure', async () => {
    const annex = { features: { alpha: '^1.0.0' } };
    const { sandbox } = await openWorld({ packages, annex });
    const preload = sandbox.write('remover.cjs', REMOVER);
    const REMOVED = join(sandbox.root, 'removed');
    mkdirSync(REMOVED);
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    const cli = join(repositoryRoot, 'dist/cli/main.js');
    const { code, stderr } = await sandbox.run(['--require', preload, cli, 'install', 'alpha'], {
      ...options,
      env: { ...options.env, REMOVED },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/\(ANNEX_INSTALL_FAILED\): .* another process removed it at once/);
    expect(readdirSync(REMOVED), 'the whole entry').toContain('annex-entry.json');
    expect(readdirSync(join(sandbox.store, 'v1/failures'))).toEqual([]);
    const again = await importIn(sandbox, ['alpha'], options);
    expect(again.imported.alpha).toMatchObject({ marker: 'from-registry' });
  });
});
