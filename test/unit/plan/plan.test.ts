/** What is shared with core, what is private, and what is a conflict: one row for each rule. */
import { describe, expect, test } from 'vitest';
import { type Locked, makePlan, type Situation, summarize } from '../../support/lock.ts';

type Row = Situation & {
  shared?: string[];
  private: string[];
  conflict?: string[];
};

const feature = (dependencies: Record<string, string>, rest: object = {}): Locked => ({
  version: '1.0.0',
  dependencies,
  ...rest,
});
const peers = (peerDependencies: Record<string, string>, rest: object = {}): Locked => ({
  version: '1.0.0',
  peerDependencies,
  ...rest,
});
const optionalPeers = (peerDependencies: Record<string, string>): Locked =>
  peers(peerDependencies, {
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(peerDependencies).map((name) => [name, { optional: true }]),
    ),
  });

const describeRows = (title: string, rows: Record<string, Row>): void => {
  describe(title, () => {
    test.each(Object.entries(rows))(
      '%s',
      (_, { shared = [], private: own, conflict = [], ...situation }) => {
        expect(summarize(makePlan(situation))).toEqual({
          shared,
          private: own,
          conflicts: conflict,
        });
      },
    );
  });
};

describeRows('what core ships', {
  'is shared when it satisfies the one who asks': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: '3.25.0' },
    core: { zod: '3.22.0*' },
    shared: ['zod'],
    private: ['feature'],
  },
  'is not looked below: what it needs is its own matter': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: feature({ deep: '1' }), deep: '1.0.0' },
    core: { zod: '3.22.0' },
    shared: ['zod'],
    private: ['feature'],
  },
  'is private for all when one who asks is not satisfied': {
    lock: {
      feature: feature({ zod: '^3.0.0', other: '*' }),
      other: feature({ zod: '^3.24.0' }),
      zod: '3.25.0',
    },
    core: { zod: '3.22.0' },
    private: ['feature', 'other', 'zod'],
  },
  'is private in every version that is needed': {
    lock: {
      feature: feature({ zod: '^3.0.0', other: '*' }),
      other: feature({ zod: '^4.0.0' }),
      'other > zod': '4.0.0',
      zod: '3.22.0',
    },
    core: { zod: '3.22.0' },
    private: ['feature', 'other', 'zod'],
  },
  'is private where only what a private package asks for does not fit': {
    lock: {
      feature: feature({ axios: '^1.6.8', 'form-data': '^4.0.0' }),
      axios: { version: '1.7.0', dependencies: { 'form-data': '^4.0.1' } },
      'form-data': '4.0.1',
    },
    core: { axios: '1.6.0', 'form-data': '4.0.0' },
    private: ['axios', 'feature', 'form-data'],
  },
  'and is declared itself is shared under the declared name': {
    packages: { feature: '^1.0.0', zod: '^3.0.0' },
    lock: { feature: feature({ zod: '^3.0.0' }), zod: '3.25.0' },
    core: { zod: '3.22.0*' },
    shared: ['zod'],
    private: ['feature'],
  },
  'as an alias is shared with nobody': {
    lock: { feature: feature({ zod: '*' }), zod: '3.25.0' },
    core: { zod: '' },
    private: ['feature', 'zod'],
  },
  'and nobody asks for has no part in it': {
    lock: { feature: '1.0.0', zod: '3.0.0' },
    core: { zod: '3.22.0*', other: '1.0.0*' },
    private: ['feature'],
  },
  'under a name that objects have anyhow is shared like any other': {
    lock: {
      feature: feature({ constructor: '1', 'to-string': '1', hasOwnProperty: '1', true: '1' }),
      'to-string': '1.0.0',
      true: '1.0.0',
    },
    core: { constructor: '1.0.0', hasOwnProperty: '1.0.0' },
    shared: ['constructor', 'hasOwnProperty'],
    private: ['feature', 'to-string', 'true'],
  },
});

describeRows('a declared package that core owns', {
  'outside its range is a conflict': {
    lock: { feature: '2.0.0' },
    packages: { feature: '^2.0.0' },
    core: { feature: '1.0.0' },
    private: ['feature'],
    conflict: ['the feature > feature ^2.0.0 declared: core 1.0.0'],
  },
  'outside its range is a conflict, nested or not': {
    lock: { feature: '2.0.0' },
    packages: { feature: '^2.0.0' },
    core: { feature: '1.0.0*' },
    conflicts: 'nest',
    private: ['feature'],
    conflict: ['the feature > feature ^2.0.0 declared: core 1.0.0'],
  },
  'outside its range is a conflict, shared or not': {
    lock: { feature: '2.0.0' },
    packages: { feature: '^2.0.0' },
    core: { feature: '1.0.0*' },
    share: false,
    private: ['feature'],
    conflict: ['the feature > feature ^2.0.0 declared: core 1.0.0'],
  },
  'as an alias is a conflict': {
    lock: { feature: '1.0.0' },
    core: { feature: '' },
    private: ['feature'],
    conflict: ['the feature > feature * declared: core'],
  },
  'in range stands in the entry when nothing is shared': {
    lock: { feature: '2.1.0' },
    packages: { feature: '^2.0.0' },
    core: { feature: '2.0.0*' },
    share: false,
    private: ['feature'],
  },
});

const OLD_ZOD = { feature: feature({ zod: '^4.0.0' }), zod: '4.0.0' };

describeRows('a dependency that core ships at a version that does not satisfy', {
  'is a conflict when core declares it': {
    lock: OLD_ZOD,
    core: { zod: '3.22.0*' },
    private: ['feature', 'zod'],
    conflict: ['feature 1.0.0 > zod ^4.0.0 dependency: core 3.22.0 nestable'],
  },
  'gets a private copy when core declares it and it is to be nested': {
    lock: OLD_ZOD,
    core: { zod: '3.22.0*' },
    conflicts: 'nest',
    private: ['feature', 'zod'],
  },
  'gets a private copy by itself when it is incidental': {
    lock: OLD_ZOD,
    core: { zod: '3.22.0' },
    private: ['feature', 'zod'],
  },
  'is a conflict when it is optional and core declares it': {
    lock: { feature: { version: '1.0.0', optionalDependencies: { zod: '^4.0.0' } }, zod: '4.0.0' },
    core: { zod: '3.22.0*' },
    private: ['feature', 'zod'],
    conflict: ['feature 1.0.0 > zod ^4.0.0 optional: core 3.22.0 nestable'],
  },
  'is listed with every edge, and only those that do not fit': {
    lock: {
      feature: feature({ zod: '^4.0.0', a: '*', b: '*' }),
      a: feature({ zod: '^3.24.0 || ^4.0.0' }),
      b: feature({ zod: '>=3' }),
      zod: '4.0.0',
    },
    core: { zod: '3.22.0*' },
    private: ['a', 'b', 'feature', 'zod'],
    conflict: [
      'a 1.0.0 > zod ^3.24.0 || ^4.0.0 dependency: core 3.22.0 nestable',
      'feature 1.0.0 > zod ^4.0.0 dependency: core 3.22.0 nestable',
    ],
  },
  'is said once, however often the one who asks stands there': {
    lock: {
      feature: feature({ a: '*', b: '*' }),
      a: feature({ c: '*' }),
      b: feature({ c: '*' }),
      'a > c': feature({ zod: '^4.0.0' }),
      'b > c': feature({ zod: '^4.0.0' }),
      zod: '4.0.0',
    },
    core: { zod: '3.22.0*' },
    private: ['a', 'b', 'c', 'feature', 'zod'],
    conflict: ['c 1.0.0 > zod ^4.0.0 dependency: core 3.22.0 nestable'],
  },
});

describeRows('a peer', {
  'of a declared package that core satisfies is shared': {
    lock: { feature: peers({ react: '^18.0.0' }), react: '18.3.0' },
    core: { react: '18.2.0' },
    shared: ['react'],
    private: ['feature'],
  },
  'of a declared package that core does not satisfy is a conflict, incidental or not': {
    lock: { feature: peers({ react: '^19.0.0' }), react: '19.0.0' },
    core: { react: '18.2.0' },
    private: ['feature', 'react'],
    conflict: ['feature 1.0.0 > react ^19.0.0 peer: core 18.2.0'],
  },
  'of a declared package is never nested': {
    lock: { feature: peers({ react: '^19.0.0' }), react: '19.0.0' },
    core: { react: '18.2.0' },
    conflicts: 'nest',
    private: ['feature', 'react'],
    conflict: ['feature 1.0.0 > react ^19.0.0 peer: core 18.2.0'],
  },
  'of a declared package that core does not ship stands in the entry': {
    lock: { feature: peers({ react: '^19.0.0' }), react: '19.0.0' },
    private: ['feature', 'react'],
  },
  'of a declared package that fits is a conflict when somebody else makes it private': {
    lock: {
      feature: peers({ react: '^18.0.0' }, { dependencies: { other: '*' } }),
      other: feature({ react: '^18.3.0' }),
      react: '18.3.0',
    },
    core: { react: '18.2.0' },
    conflicts: 'nest',
    private: ['feature', 'other', 'react'],
    conflict: ['feature 1.0.0 > react ^18.0.0 peer: core 18.2.0 fits'],
  },
  'of a declared package is a conflict when nothing is shared': {
    lock: { feature: peers({ react: '^18.0.0' }), react: '18.3.0' },
    core: { react: '18.2.0' },
    share: false,
    private: ['feature', 'react'],
    conflict: ['feature 1.0.0 > react ^18.0.0 peer: core 18.2.0 fits'],
  },
  'of a declared package is a conflict when a package leads to it past every hook': {
    lock: { feature: peers({ react: '^18.0.0' }), react: '18.3.0' },
    core: { react: '18.2.0' },
    unshared: ['react'],
    conflicts: 'nest',
    private: ['feature', 'react'],
    conflict: ['feature 1.0.0 > react ^18.0.0 peer: core 18.2.0 fits'],
  },
  'of a declared package with scripts is a conflict: it cannot be shared': {
    lock: { feature: peers({ react: '^18.0.0' }), react: '18.3.0' },
    core: { react: '18.2.0' },
    scripts: ['feature'],
    private: ['feature', 'react'],
    conflict: ['feature 1.0.0 > react ^18.0.0 peer: core 18.2.0 fits'],
  },
  'of a second copy of a declared package is not one that the application meets': {
    lock: {
      feature: feature({ other: '*' }),
      other: feature({ feature: '*' }),
      'other > feature': peers({ react: '^19.0.0' }),
      react: '19.0.0',
    },
    core: { react: '18.2.0' },
    conflicts: 'nest',
    private: ['feature', 'other', 'react'],
  },
  'further down that core does not satisfy is a conflict, incidental or not': {
    lock: { feature: feature({ ui: '*' }), ui: peers({ react: '^19.0.0' }), react: '19.0.0' },
    core: { react: '18.2.0' },
    private: ['feature', 'react', 'ui'],
    conflict: ['ui 1.0.0 > react ^19.0.0 peer: core 18.2.0 nestable'],
  },
  'further down may be nested together with its group': {
    lock: { feature: feature({ ui: '*' }), ui: peers({ react: '^19.0.0' }), react: '19.0.0' },
    core: { react: '18.2.0*' },
    conflicts: 'nest',
    private: ['feature', 'react', 'ui'],
  },
  'that is private makes private whoever would be shared and has it as a peer': {
    lock: {
      feature: feature({ 'react-dom': '^18.0.0', react: '^18.3.0' }),
      'react-dom': { version: '18.3.0', peerDependencies: { react: '^18.0.0' } },
      react: '18.3.0',
    },
    core: { 'react-dom': '18.2.0 react', react: '18.2.0' },
    private: ['feature', 'react', 'react-dom'],
  },
  'that is private makes private along a chain of peers': {
    lock: {
      feature: feature({ c: '*', a: '2' }),
      c: peers({ b: '*' }),
      b: peers({ a: '*' }),
      a: '2.0.0',
    },
    core: { c: '1.0.0 b', b: '1.0.0 a', a: '1.0.0' },
    private: ['a', 'b', 'c', 'feature'],
  },
  'that nobody holds makes nobody private': {
    lock: {
      feature: feature({ dom: '*', ui: '*' }),
      dom: '1.0.0',
      ui: optionalPeers({ react: '19' }),
    },
    core: { dom: '1.0.0 react', react: '18.2.0' },
    conflicts: 'nest',
    shared: ['dom'],
    private: ['feature', 'ui'],
  },
});

describeRows('an optional peer', {
  'that core satisfies is shared': {
    lock: { feature: optionalPeers({ react: '^18.0.0' }) },
    core: { react: '18.2.0' },
    shared: ['react'],
    private: ['feature'],
  },
  'brings nothing': {
    lock: { feature: optionalPeers({ react: '^18.0.0' }), react: '18.2.0' },
    private: ['feature'],
  },
  'that core does not satisfy is a conflict': {
    lock: { feature: optionalPeers({ react: '^19.0.0' }), react: '19.0.0' },
    core: { react: '18.2.0' },
    private: ['feature'],
    conflict: ['feature 1.0.0 > react ^19.0.0 optional peer: core 18.2.0 nestable'],
  },
  'that core does not satisfy is left out when it may be nested': {
    lock: { feature: optionalPeers({ react: '^19.0.0' }), react: '19.0.0' },
    core: { react: '18.2.0*' },
    conflicts: 'nest',
    private: ['feature'],
  },
  'that somebody else brings in another version is a misfit': {
    lock: {
      feature: feature({ ui: '*', react: '^18.0.0' }),
      ui: optionalPeers({ react: '^19.0.0' }),
      react: '18.3.0',
    },
    private: ['feature', 'react', 'ui'],
    conflict: ['ui 1.0.0 > react ^19.0.0 optional peer: closure 18.3.0'],
  },
});

describeRows('never shared', {
  'what a package with scripts needs, however far down': {
    lock: {
      feature: feature({ addon: '*', far: '^1.0.0' }),
      addon: feature({ near: '^1.0.0' }),
      near: feature({ far: '^1.0.0' }),
      far: '1.1.0',
    },
    core: { near: '1.0.0', far: '1.0.0' },
    scripts: ['addon'],
    private: ['addon', 'far', 'feature', 'near'],
  },
  'what a package with scripts needs, when it is found without them first': {
    lock: {
      feature: feature({ a: '*', addon: '*' }),
      a: feature({ b: '*' }),
      addon: feature({ b: '*' }),
      b: feature({ c: '*' }),
      c: '1.0.0',
    },
    core: { c: '1.0.0' },
    scripts: ['addon'],
    private: ['a', 'addon', 'b', 'c', 'feature'],
  },
  'what a package with scripts needs, and core declares in another version': {
    lock: {
      feature: feature({ addon: '*' }),
      addon: feature({ semver: '^7.0.0' }),
      semver: '7.1.0',
    },
    core: { semver: '6.0.0*' },
    scripts: ['addon'],
    private: ['addon', 'feature', 'semver'],
  },
  'bundled dependencies': {
    lock: {
      feature: feature({ zod: '^3.0.0', other: '*' }),
      'feature > zod': { version: '3.22.0', inBundle: true },
      other: feature({ zod: '^3.0.0' }),
      zod: '3.25.0',
    },
    core: { zod: '3.22.0' },
    private: ['feature', 'other', 'zod'],
  },
  'bundled dependencies that core declares in another version': {
    lock: {
      feature: feature({ zod: '^4.0.0' }),
      'feature > zod': { version: '4.0.0', inBundle: true },
    },
    core: { zod: '3.22.0*' },
    private: ['feature', 'zod'],
  },
  'what some `imports` leads to': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: '3.25.0' },
    core: { zod: '3.22.0*' },
    unshared: ['zod'],
    private: ['feature', 'zod'],
  },
  'what some `imports` leads to and core declares in another version': {
    lock: OLD_ZOD,
    core: { zod: '3.22.0*' },
    unshared: ['zod', 'unheard-of'],
    private: ['feature', 'zod'],
  },
  'anything under "share": false, whatever core declares': {
    lock: {
      feature: feature({ a: '^1.0.0', b: '^2.0.0' }),
      a: peers({ b: '^2.0.0' }),
      b: '2.0.0',
    },
    core: { a: '1.0.0*', b: '1.0.0*' },
    share: false,
    private: ['a', 'b', 'feature'],
  },
});

describeRows('a closure', {
  'may go round in circles': {
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
  'may ask for itself': {
    lock: { feature: feature({ feature: '^1.0.0' }) },
    private: ['feature'],
  },
  'holds no orphans': {
    lock: { feature: '1.0.0', orphan: feature({ a: '*' }), a: '1.0.0', 'orphan > b': '1.0.0' },
    private: ['feature'],
  },
  'lacks what is optional and not there': {
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
  'with a version that nobody asked for is listed': {
    packages: { feature: '^2.0.0' },
    lock: { feature: feature({ a: '^2.0.0' }), a: '1.0.0' },
    private: ['a', 'feature'],
    conflict: [
      'the feature > feature ^2.0.0 declared: closure 1.0.0',
      'feature 1.0.0 > a ^2.0.0 dependency: closure 1.0.0',
    ],
  },
  'may stand under names that look like its own bookkeeping': {
    lock: {
      feature: feature({ a: '*' }),
      a: feature({ true: '*', false: '*' }),
      true: '1.0.0',
      false: '1.0.0',
    },
    private: ['a', 'false', 'feature', 'true'],
  },
});

describeRows('a range that is none', {
  'as an alias is answered by what it stands for': {
    lock: {
      feature: feature({ zod3: 'npm:zod@^3.0.0', scoped: 'npm:@a/b@1', any: 'npm:zod' }),
      zod3: { name: 'zod', version: '3.25.0' },
      scoped: { name: '@a/b', version: '1.0.0' },
      any: { name: 'zod', version: '4.0.0' },
    },
    core: { zod: '3.22.0*' },
    private: ['any', 'feature', 'scoped', 'zod3'],
  },
  'as an alias is not answered by another package or version': {
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
  'a plain range is not answered by an alias': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: { name: 'other', version: '3.25.0' } },
    private: ['feature', 'zod'],
    conflict: ['feature 1.0.0 > zod ^3.0.0 dependency: closure 3.25.0'],
  },
  'as an alias is not shared with a package of that very name': {
    lock: { feature: feature({ zod: 'npm:zod@^3.0.0' }), zod: '3.25.0' },
    core: { zod: '3.22.0' },
    private: ['feature', 'zod'],
  },
  'as an address or a tag takes what the lock says, and nothing from core': {
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
  'satisfies a star, as npm has it': {
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
  test('keeps every range that is asked of a shared name, once', () => {
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

  test('knows the edges between what the entry holds, and no others', () => {
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

  test('goes down ten thousand packages', () => {
    const names = Array.from({ length: 10_000 }, (_, at) => (at === 0 ? 'feature' : `p${at}`));
    const lock = Object.fromEntries(
      names.map((name, at) => [name, feature(at < 9999 ? { [`p${at + 1}`]: '*' } : {})]),
    );
    expect(makePlan({ lock }).nodes.size).toBe(10_000);
  });
});
