/** How often a search looks at the entries of a store. */
import { appendFileSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLookup } from '../../../src/app/lookup.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { createFinder } from '../../../src/store/finder.ts';
import { DIRECT } from '../../../src/store/look.ts';
import { plantEntry } from '../../support/entry.ts';
import { makeFeature } from '../../support/feature.ts';
import { esmPackage } from '../../support/fixtures.ts';
import { removeTree } from '../../support/tree.ts';

const feature = makeFeature('alpha');
const COUNT = 50;

/** A store with damaged entries, and a sound one after them in the order of preference. */
function open(): { settings: Settings; sound: string } {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-finder-'));
  onTestFinished(() => removeTree(root));
  const store = join(root, 'store');
  const plant = (version: string, generation: string): string => {
    const packages = [esmPackage('alpha', version, 'alpha')] as const;
    return plantEntry(store, {
      feature: 'alpha',
      packages,
      specs: { alpha: '^1.0.0' },
      generation,
    });
  };
  for (let at = 0; at < COUNT; at++) {
    const damaged = plant('1.1.0', at.toString(36));
    appendFileSync(join(damaged, 'node_modules/alpha/index.js'), ' ');
  }
  const settings = {
    core: { root, realRoot: root },
    store,
    layers: [],
    blocked: [],
    declaration: { features: new Map([['alpha', feature]]), blocked: [] },
    verify: 'load',
  };
  return { settings: settings as unknown as Settings, sound: plant('1.0.0', '0') };
}

test.each([
  ['compared when they are found', 'all', false],
  ['compared as a whole afterwards', 'natives', true],
] as const)('looks once at each of many damaged entries that are %s', (_, depth, isWhole) => {
  const { settings, sound } = open();
  let looks = 0;
  const reported = new Set<string>();
  const finder = createFinder(settings, depth, {
    onDamage: ({ dir }) => reported.add(dir),
    look: {
      ...DIRECT,
      resolve: (store, path) => {
        looks++;
        return DIRECT.resolve(store, path);
      },
    },
  });
  const { entry, damaged, rejected } = finder.find(createLookup(settings, feature), isWhole);
  expect(entry?.dir).toBe(sound);
  expect(looks).toBe(COUNT + 1);
  expect([damaged.length, rejected.length, reported.size]).toEqual([COUNT, COUNT, COUNT]);
  expect(rejected[0]).toMatch(/is damaged: .*index\.js/);
  finder.find(createLookup(settings, feature), isWhole);
  expect(looks).toBe(COUNT + 2);
});
