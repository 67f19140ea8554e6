/** Packages that count as shipped by core, in unusual trees. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readInventory } from '../../../src/app/inventory.ts';
import type { PackageFixture } from '../../support/package.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { pkg, read } from '../../support/shipped.ts';

async function open(): Promise<Sandbox> {
  const sandbox = await createSandbox({ linkAnnex: false });
  onTestFinished(() => sandbox.cleanup());
  return sandbox;
}

describe('an unusual tree:', () => {
  const plant = async (manifest: object, packages: [string, PackageFixture][]) => {
    const sandbox = await open();
    sandbox.setCore({ features: {} }, manifest);
    for (const [place, one] of packages) sandbox.addPackage(place, one);
    return sandbox;
  };

  test('Yarn: hoisted packages count when production needs them', async () => {
    const sandbox = await plant(
      { dependencies: { alpha: '^1.0.0' }, devDependencies: { tool: '*' } },
      [
        ['app/node_modules', pkg('alpha', '1.0.0', { dependencies: { beta: '^1.0.0' } })],
        ['app/node_modules', pkg('tool', '1.0.0', { dependencies: { beta: '^2.0.0' } })],
        ['app/node_modules', pkg('beta', '1.0.0')],
        ['app/node_modules/tool/node_modules', pkg('beta', '2.0.0')],
        ['app/node_modules', pkg('stray', '1.0.0')],
      ],
    );
    sandbox.write('app/node_modules/.yarn-state.yml', '__metadata:\n  version: 1\n');
    sandbox.write('app/node_modules/.yarn-integrity', {});
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*', beta: '1.0.0' });
  });

  test('a nested copy is not visible to the root', async () => {
    const sandbox = await plant(
      { dependencies: { alpha: '^1.0.0' }, devDependencies: { beta: '2' } },
      [
        ['app/node_modules', pkg('alpha', '1.0.0', { dependencies: { beta: '^1.0.0' } })],
        ['app/node_modules', pkg('beta', '2.0.0')],
        ['app/node_modules/alpha/node_modules', pkg('beta', '1.0.0')],
      ],
    );
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('dangling links and link loops are not shipped', async () => {
    const sandbox = await plant({ dependencies: { gone: '*', round: '*', alpha: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0')],
    ]);
    symlinkSync('../nowhere', join(sandbox.core, 'node_modules/gone'));
    symlinkSync('round', join(sandbox.core, 'node_modules/round'));
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('packages are found at the targets of their links', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*' } }, [
      [
        'elsewhere/node_modules',
        pkg('alpha', '1.0.0', { dependencies: { beta: '*', gamma: '*' } }),
      ],
      ['elsewhere/node_modules', pkg('beta', '2.0.0')],
      ['app/node_modules', pkg('gamma', '9.0.0')],
    ]);
    symlinkSync('../../elsewhere/node_modules/alpha', join(sandbox.core, 'node_modules/alpha'));
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test.each([
    ['no package.json', undefined],
    ['a package.json that does not parse', '{'],
    ['a package.json that is no object', '[null]'],
    ['a null in a package.json', 'null'],
  ])('%s: no package is shared', async (_, text) => {
    const sandbox = await plant({ dependencies: { broken: '*', alpha: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0')],
    ]);
    mkdirSync(join(sandbox.core, 'node_modules/broken'));
    if (text !== undefined) sandbox.write('app/node_modules/broken/package.json', text);
    const { broken = '*', ...rest } = read(sandbox.core);
    expect({ broken, rest }).toEqual({ broken: '*', rest: { alpha: '1.0.0*' } });
  });

  test.each([
    ['no version', undefined],
    ['a number', 1],
    ['too short', '1.0'],
    ['a range', '^1.0.0'],
    ['a word', 'local'],
    ['nothing', ''],
  ])('a package with an invalid version (%s) is not shared', async (_, version) => {
    const sandbox = await plant({ dependencies: { alpha: '*' } }, []);
    sandbox.write('app/node_modules/alpha/package.json', { name: 'alpha', version });
    expect(read(sandbox.core)).toEqual({ alpha: '*' });
  });

  test('lists of another type are empty', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*' }, optionalDependencies: null }, [
      [
        'app/node_modules',
        pkg('alpha', '1.0.0', {
          dependencies: null,
          peerDependencies: 7,
          peerDependenciesMeta: { x: null },
          optionalDependencies: [],
        }),
      ],
    ]);
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('names that lead out of node_modules are ignored', async () => {
    const sandbox = await plant(
      { dependencies: { '../../outside': '*', '': '*', '.': '*', '/etc': '*', alpha: '*' } },
      [['app/node_modules', pkg('alpha', '1.0.0')]],
    );
    sandbox.write('outside/package.json', { name: '../../outside', version: '1.0.0' });
    sandbox.write('app/node_modules/package.json', { name: '.', version: '1.0.0' });
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('a node_modules directly in node_modules is not searched, as in Node', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0', { dependencies: { beta: '*' } })],
      ['app/node_modules/node_modules', pkg('beta', '1.0.0')],
      ['node_modules', pkg('beta', '2.0.0')],
    ]);
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*', beta: '2.0.0' });
  });

  test('a chain of 500 packages is followed to its end', async () => {
    const chain = Array.from({ length: 500 }, (_, at) =>
      pkg(`link-${at}`, '1.0.0', { dependencies: { [`link-${at + 1}`]: '*' } }),
    );
    const sandbox = await plant(
      { dependencies: { 'link-0': '*' } },
      chain.map((one) => ['app/node_modules', one]),
    );
    expect(readInventory(sandbox.core).size).toBe(500);
  });

  test('the store is never read', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*', beta: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0')],
    ]);
    const stores = [sandbox.store, join(sandbox.core, 'store')];
    for (const store of stores) {
      const [specs, packages] = [{ beta: '*' }, [pkg('beta', '1.0.0')] as const];
      sandbox.plantEntry({ feature: 'beta', packages, specs, store });
    }
    process.env.ANNEX_STORE = stores.join(':');
    onTestFinished(() => {
      delete process.env.ANNEX_STORE;
    });
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('a directory without a package.json ships nothing', async () => {
    const sandbox = await open();
    rmSync(join(sandbox.core, 'package.json'));
    expect(read(sandbox.core)).toEqual({});
  });
});
