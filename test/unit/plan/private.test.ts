/** Why a closure has a copy of its own: the reason follows the plan. */
import { expect, test } from 'vitest';
import { explainPrivate } from '../../../src/plan/private.ts';
import { type Locked, makeInventory, makePlan, RANGES } from '../../support/lock.ts';

/** A closure of `kit`, what core ships, and the reason for `zod`; undefined for a shared one. */
interface Row {
  lock: Record<string, Locked>;
  core: Record<string, string>;
  options?: { share?: boolean; scripts?: string[]; unshared?: string[] };
  reason: string | undefined;
}

const kit = (manifest: object): Locked => ({ version: '1.0.0', ...manifest });
const needs = (range: string): Locked => kit({ dependencies: { zod: range } });

const ROWS: Record<string, Row> = {
  'a package that core does not have': {
    lock: { kit: needs('^3.0.0'), zod: '3.0.0' },
    core: {},
    reason: 'core ships none',
  },
  'a package that fits every dependent is shared': {
    lock: { kit: needs('^3.0.0'), zod: '3.0.0' },
    core: { zod: '3.2.0' },
    reason: undefined,
  },
  'a dependent that needs another version': {
    lock: { kit: needs('^3.0.0'), zod: '3.0.0' },
    core: { zod: '4.1.0' },
    reason: 'kit 1.0.0 needs ^3.0.0, and core ships 4.1.0',
  },
  'a copy of another name in core': {
    lock: { kit: needs('*'), zod: '3.0.0' },
    core: { zod: '' },
    reason: 'kit 1.0.0 needs *, and core ships a copy whose name or version differs',
  },
  'a feature that shares nothing': {
    lock: { kit: needs('^3.0.0'), zod: '3.0.0' },
    core: { zod: '3.2.0' },
    options: { share: false },
    reason: '"share" of the feature is false',
  },
  'a name in the imports of a package': {
    lock: { kit: needs('^3.0.0'), zod: '3.0.0' },
    core: { zod: '3.2.0' },
    options: { unshared: ['zod'] },
    reason: 'the "imports" of a package in the entry name it',
  },
  'a bundled package': {
    lock: { kit: needs('^3.0.0'), 'kit > zod': { version: '3.0.0', inBundle: true } },
    core: { zod: '3.2.0' },
    reason: 'a package in the entry bundles it',
  },
  'a dependency, at any distance, of a package with install scripts': {
    lock: { kit: kit({ dependencies: { low: '*' } }), low: needs('^3.0.0'), zod: '3.0.0' },
    core: { zod: '3.2.0' },
    options: { scripts: ['kit'] },
    reason: 'the install scripts of kit may need it in the entry',
  },
  'a package whose peer is in the entry': {
    lock: {
      kit: kit({ dependencies: { zod: '^3.0.0', host: '^2.0.0' } }),
      zod: kit({ version: '3.0.0', peerDependencies: { host: '*' } }),
      host: '2.0.0',
    },
    core: { zod: '3.2.0 host', host: '1.0.0' },
    reason: "core's copy needs the peer host, which is private",
  },
};

test.each(Object.entries(ROWS))('%s', (_, { lock, core, options = {}, reason }) => {
  const packages = { kit: '^1.0.0' };
  const { share = true, scripts = [], unshared = [] } = options;
  const made = makePlan({ lock, core, packages, share, scripts, unshared, conflicts: 'nest' });
  const facts = { ...made, packages, inventory: makeInventory(core), share, scripts, unshared };
  expect(explainPrivate('zod', facts, RANGES)).toBe(reason);
  expect(Object.keys(made.shared).includes('zod')).toBe(reason === undefined);
});
