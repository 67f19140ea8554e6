/** A planned closure as an npm project. */
import { describe, expect, test } from 'vitest';
import { composeProject, sortKeys } from '../../../src/plan/project.ts';
import { makeLock, makePlan } from '../../support/lock.ts';

const LOCK = {
  feature: { version: '1.0.0', dependencies: { zod: '^3.0.0', b: '*' }, license: 'MIT' },
  orphan: '1.0.0',
  b: '1.0.0',
  zod: { version: '3.22.0', integrity: 'sha512-Z' },
};

describe('a project', () => {
  const made = makePlan({ lock: LOCK, core: { zod: '3.22.0' }, packages: { feature: '^1.0.0' } });
  const { packages } = makeLock(LOCK);
  const project = composeProject(made, packages, {
    packages: { feature: '^1.0.0' },
    slug: 'search.exa',
  });

  test('depends on the declared ranges, and on the exact versions of shared packages', () => {
    expect(project.manifest).toEqual({
      name: 'annex-search.exa',
      version: '0.0.0',
      private: true,
      dependencies: { feature: '^1.0.0', zod: '3.22.0' },
    });
  });

  test('locks exactly the private and shared packages, as npm wrote them, in a fixed order', () => {
    const { lock } = project;
    expect(Object.keys(lock.packages)).toEqual([
      '',
      'node_modules/b',
      'node_modules/feature',
      'node_modules/zod',
    ]);
    expect(lock.packages['node_modules/feature']).toBe(packages['node_modules/feature']);
    expect(lock.packages['node_modules/zod']).toEqual(LOCK.zod);
    expect(lock.packages['']).toEqual({
      name: 'annex-search.exa',
      version: '0.0.0',
      dependencies: { feature: '^1.0.0', zod: '3.22.0' },
    });
  });

  test("has a declared package that core ships in range at core's version", () => {
    const declared = { feature: '^1.0.0', zod: '^3.0.0' };
    const shared = makePlan({ lock: LOCK, core: { zod: '3.22.0*' }, packages: declared });
    const { manifest } = composeProject(shared, packages, { packages: declared, slug: 'a' });
    expect(manifest.dependencies).toEqual({ feature: '^1.0.0', zod: '3.22.0' });
  });
});

test('keys are ordered by their code units, whatever the locale', () => {
  expect(Object.keys(sortKeys({ b: 1, ä: 1, B: 1, '@a/b': 1, a: 1 }))).toEqual([
    '@a/b',
    'B',
    'a',
    'b',
    'ä',
  ]);
});
