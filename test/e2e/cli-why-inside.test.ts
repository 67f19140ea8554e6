/** `annex why` of a package that features depend on: the entries that have it, and whether they share core's copy. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

/** A text without its line breaks and indents. */
const unfold = (text: string): string => text.replace(/\s+/g, ' ');

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([
    esmPackage('kit', '1.0.0', 'kit', { dependencies: { middle: '^1.0.0', both: '^2.0.0' } }),
    esmPackage('middle', '1.1.0', 'middle', { dependencies: { low: '~0.1.0', both: '^2.0.0' } }),
    esmPackage('low', '0.1.3', 'low'),
    esmPackage('both', '2.0.0', 'both'),
  ]);
});

describe.each(outerNodes)('$label', (node) => {
  const open = async () => {
    const world = await openCli(node, { registry });
    const { sandbox } = world;
    const dependencies = { low: '*', both: '*' };
    const features = { kit: { packages: { kit: '^1.0.0' }, conflicts: 'nest' } };
    sandbox.setCore({ features }, { dependencies });
    for (const [name, version] of [
      ['low', '0.2.0'],
      ['both', '2.5.0'],
    ] as const) {
      sandbox.addPackage('app/node_modules', esmPackage(name, version, 'core'));
    }
    return world;
  };

  test.each(['lock', 'install'])(
    'after annex %s it names the way, and why the copy is private or shared',
    async (command) => {
      const { sandbox, annex } = await open();
      expect((await annex([command, 'kit'])).code).toBe(0);
      const why = async (name: string) => {
        const { code, stdout } = await annex(['why', name]);
        return { code, said: unfold(stdout) };
      };
      const low = await why('low');
      expect(low.code).toBe(0);
      expect(low.said).toContain(`found ${sandbox.core}/node_modules/low/index.js`);
      expect(low.said).toContain(
        'low 0.1.3 is in kit through kit 1.0.0 > middle 1.1.0 private: middle 1.1.0 needs ~0.1.0, and core ships 0.2.0',
      );
      expect((await why('both')).said).toContain(
        "both 2.5.0 is in kit through kit 1.0.0 core's copy is shared: it satisfies ^2.0.0",
      );
      const middle = await why('middle');
      expect(middle.code).toBe(1);
      expect(middle.said).toMatch(/^NOT FOUND because no feature declares it/);
      expect(middle.said).toContain(
        'middle 1.1.0 is in kit through kit 1.0.0 private: core has none Only files of that entry get it. Now: npx annex add middle',
      );
      const { inside } = JSON.parse((await annex(['why', 'low', '--json'])).stdout);
      expect(inside).toEqual([
        {
          feature: 'kit',
          name: 'low',
          version: '0.1.3',
          through: ['kit 1.0.0', 'middle 1.1.0'],
          isShared: false,
          because: 'middle 1.1.0 needs ~0.1.0, and core ships 0.2.0',
        },
      ]);
    },
  );

  test('a copy that core does not ship, and one that came after the lock, are told from others', async () => {
    const { sandbox, annex } = await open();
    sandbox.addPackage('app/node_modules', esmPackage('middle', '1.0.0', 'core'));
    expect((await annex(['lock', 'kit'])).code).toBe(0);
    expect(unfold((await annex(['why', 'middle'])).stdout)).toContain(
      'private: core does not ship its copy, 1.0.0',
    );
    sandbox.addPackage('app/node_modules', esmPackage('low', '0.1.9', 'core'));
    expect(unfold((await annex(['why', 'low'])).stdout)).toContain(
      "private: core's 0.1.9 came later: npx annex lock kit",
    );
  });

  test('a declared package is also listed in the entries of other features', async () => {
    const { sandbox, annex } = await open();
    sandbox.setCore({ features: { kit: '^1.0.0', low: '~0.1.0', middle: '^1.0.0' } });
    expect((await annex(['lock', 'kit'])).code).toBe(0);
    expect((await annex(['install', 'middle'])).code).toBe(0);
    const { stdout } = await annex(['why', 'low']);
    expect(unfold(stdout)).toContain('declared: ~0.1.0 in feature low, not locked');
    expect(stdout).toMatch(/^low 0\.1\.3 is in kit through kit 1\.0\.0 > middle 1\.1\.0$/m);
    expect(stdout).toMatch(/^low 0\.1\.3 is in middle through middle 1\.1\.0$/m);
    expect(stdout).not.toContain('Only files of that entry');
    const { inside } = JSON.parse((await annex(['why', 'low', '--json'])).stdout);
    expect(inside.map(({ feature }: { feature: string }) => feature)).toEqual(['kit', 'middle']);
  });

  test('a package.json outside of the entry is not read', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { kit: '^1.0.0' } });
    const dependencies = { secret: '1.0.0' };
    const packages = [
      esmPackage('kit', '1.0.0', 'planted'),
      esmPackage('secret', '1.0.0', 'planted'),
    ] as const;
    const entry = plant('kit', '1.0.0', { packages });
    const other = sandbox.write('elsewhere/package.json', { name: 'kit', dependencies });
    const file = join(entry, 'node_modules', 'kit', 'package.json');
    rmSync(file);
    symlinkSync(other, file);
    const env = { ANNEX_CONFIG: sandbox.write('annex.json', { verify: 'off' }) };
    const { inside } = JSON.parse((await annex(['why', 'secret', '--json'], { env })).stdout);
    expect(inside).toBeUndefined();
  });
});
