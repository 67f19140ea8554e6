/** A feature of several packages, one of them shipped by the core: the others are installed, locked or not. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { listEntries, lock, node } from '../support/lock-files.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

test.each([true, false])(
  'the entry is valid and holds the other (locked: %s)',
  async (isLocked) => {
    const registry = await startRegistry([
      esmPackage('base', '1.5.0', 'registry'),
      dependentPackage('kit', '1.0.0', 'kit', { base: '^1.0.0' }),
    ]);
    const sandbox = await createSandbox({ registry, node: node.path });
    const declare = (base: string) =>
      sandbox.setCore(
        { features: { pair: { packages: { base, kit: '^1.0.0' } } } },
        { dependencies: { base: '*' } },
      );
    declare('^1.0.0');
    const modules = join(sandbox.core, 'node_modules');
    sandbox.addPackage(modules, esmPackage('base', '1.2.0', 'core'));
    if (isLocked) await lock(sandbox);
    const env = { ANNEX_STORE: sandbox.store };
    const wanted = { base: { marker: 'core' }, kit: { marker: 'kit' } };
    const first = await importIn(sandbox, ['base', 'kit'], { env });
    expect(first.imported).toMatchObject(wanted);
    expect(listEntries(sandbox)).toHaveLength(1);
    await registry.stop();
    const second = await importIn(sandbox, ['base', 'kit'], { env });
    expect(second).toMatchObject({ imported: wanted, stderr: '' });
    // A range that core no longer fits is reported, and no other copy is used.
    declare('^1.3.0');
    const { stdout } = await sandbox.annex(['list', '--json'], { env });
    expect(JSON.parse(stdout).features).toMatchObject([{ where: 'core outside range' }]);
  },
);
