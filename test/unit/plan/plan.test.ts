/** Packages of a closure, missing ones, and dependencies that are not ranges. */
import { describe, expect, test } from 'vitest';
import { makePlan } from '../../support/lock.ts';
import { describeRows, feature, optionalPeers } from '../../support/plan-rows.ts';

describeRows('a closure', {
  'may contain cycles': {
    lock: {
      feature: feature({ a: '1' }),
      a: feature({ b: '1' }),
      b: feature({ a: '1', feature: '1', zod: '3' }),
      zod: '3.0.0',
    },
    core: { zod: '3.22.0' },
    shared: ['zod'],
    private: ['a', 'b', 'feature'],
  },
  'may depend on itself': {
    lock: { feature: feature({ feature: '^1.0.0' }) },
    private: ['feature'],
  },
  'holds no orphans': {
    lock: { feature: '1.0.0', orphan: feature({ a: '*' }), a: '1.0.0', 'orphan > b': '1.0.0' },
    private: ['feature'],
  },
  'may lack optional packages': {
    lock: { feature: { version: '1.0.0', optionalDependencies: { fsevents: '*' } } },
    private: ['feature'],
  },
  'in which something is missing is listed': {
    lock: { feature: feature({ gone: '^1.0.0' }, { peerDependencies: { lost: '*' } }) },
    private: ['feature'],
    conflict: [
      'feature 1.0.0 > gone ^1.0.0 dependency: closure',
      'feature 1.0.0 > lost * peer: closure',
    ],
  },
  'that lacks the feature itself is listed': {
    lock: {},
    private: [],
    conflict: ['the feature > feature * declared: closure'],
  },
  'with a version out of range is listed': {
    packages: { feature: '^2.0.0' },
    lock: { feature: feature({ a: '^2.0.0' }), a: '1.0.0' },
    private: ['a', 'feature'],
    conflict: [
      'the feature > feature ^2.0.0 declared: closure 1.0.0',
      'feature 1.0.0 > a ^2.0.0 dependency: closure 1.0.0',
    ],
  },
  'may have names that look like internal keys': {
    lock: {
      feature: feature({ a: '*' }),
      a: feature({ true: '*', false: '*' }),
      true: '1.0.0',
      false: '1.0.0',
    },
    private: ['a', 'false', 'feature', 'true'],
  },
});

describeRows('a dependency that is not a range', {
  'as an alias is satisfied by its target': {
    lock: {
      feature: feature({ zod3: 'npm:zod@^3.0.0', scoped: 'npm:@a/b@1', any: 'npm:zod' }),
      zod3: { name: 'zod', version: '3.25.0' },
      scoped: { name: '@a/b', version: '1.0.0' },
      any: { name: 'zod', version: '4.0.0' },
    },
    core: { zod: '3.22.0*' },
    private: ['any', 'feature', 'scoped', 'zod3'],
  },
  'as an alias is not satisfied by another package or version': {
    lock: {
      feature: feature({ zod3: 'npm:zod@^3.0.0', zod4: 'npm:zod@^4.0.0' }),
      zod3: { name: 'other', version: '3.25.0' },
      zod4: { name: 'zod', version: '3.25.0' },
    },
    private: ['feature', 'zod3', 'zod4'],
    conflict: [
      'feature 1.0.0 > zod3 npm:zod@^3.0.0 dependency: closure 3.25.0',
      'feature 1.0.0 > zod4 npm:zod@^4.0.0 dependency: closure 3.25.0',
    ],
  },
  'a plain range is not satisfied by an alias': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: { name: 'other', version: '3.25.0' } },
    private: ['feature', 'zod'],
    conflict: ['feature 1.0.0 > zod ^3.0.0 dependency: closure 3.25.0'],
  },
  'as an alias is not shared with a package of that very name': {
    lock: { feature: feature({ zod: 'npm:zod@^3.0.0' }), zod: '3.25.0' },
    core: { zod: '3.22.0' },
    private: ['feature', 'zod'],
  },
  'as a URL or a tag is the locked package, and never shared': {
    lock: {
      feature: feature({
        a: 'github:acme/a#semver:^2.0.0',
        b: 'git+ssh://git@host.example/b.git',
        c: 'https://host.example/c.tgz',
        d: 'latest',
        e: 'file:../e',
      }),
      a: { name: 'renamed', version: '1.0.0' },
      b: '1.0.0',
      c: '1.0.0',
      d: '1.0.0',
      e: '1.0.0',
    },
    core: { a: '2.0.0', d: '1.0.0' },
    private: ['a', 'b', 'c', 'd', 'e', 'feature'],
  },
});

describeRows('a prerelease', {
  'of core does not satisfy a range without one': {
    lock: { feature: feature({ react: '>=18' }), react: '19.0.0' },
    core: { react: '19.0.0-rc.1' },
    private: ['feature', 'react'],
  },
  'of core satisfies a range of that version': {
    lock: { feature: feature({ react: '^19.0.0-beta.2' }), react: '19.0.0' },
    core: { react: '19.0.0-rc.1' },
    shared: ['react'],
    private: ['feature'],
  },
  'satisfies a star, as in npm': {
    lock: {
      feature: feature({ react: '*', vue: '', ui: ' * ' }),
      vue: '3.0.0-rc.1',
      ui: '1.0.0-a',
    },
    core: { react: '19.0.0-rc.1' },
    shared: ['react'],
    private: ['feature', 'ui', 'vue'],
  },
});

describe('a plan', () => {
  test('keeps every range for a shared name once', () => {
    const { shared } = makePlan({
      lock: {
        feature: feature({ a: '*', b: '*', zod: '^3.0.0' }),
        a: feature({ zod: '>=3' }),
        b: feature({ zod: '^3.0.0' }),
      },
      core: { zod: '3.22.0' },
    });
    expect(shared).toEqual({ zod: { ranges: ['>=3', '^3.0.0'], version: '3.22.0' } });
  });

  test('has exactly the edges between the packages of the entry', () => {
    const { edges } = makePlan({
      lock: {
        feature: feature({ a: '*', zod: '*' }, { optionalDependencies: { gone: '*' } }),
        a: optionalPeers({ feature: '*', welcome: '*' }),
        welcome: '1.0.0',
      },
      core: { zod: '3.22.0' },
    });
    expect(edges.map(({ from, to, kind }) => `${from} -> ${to} ${kind}`)).toEqual([
      ' -> node_modules/feature declared',
      'node_modules/a -> node_modules/feature optional peer',
      'node_modules/feature -> node_modules/a dependency',
    ]);
  });

  test('follows a chain of ten thousand packages', () => {
    const names = Array.from({ length: 10_000 }, (_, at) => (at === 0 ? 'feature' : `p${at}`));
    const lock = Object.fromEntries(
      names.map((name, at) => [name, feature(at < 9999 ? { [`p${at + 1}`]: '*' } : {})]),
    );
    expect(makePlan({ lock }).nodes.size).toBe(10_000);
  });
});
