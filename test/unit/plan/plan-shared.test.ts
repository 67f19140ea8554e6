/** Packages that are shared with core, and packages that never are. */
import { describeRows, feature, peers } from '../../support/plan-rows.ts';

const OLD_ZOD = { feature: feature({ zod: '^4.0.0' }), zod: '4.0.0' };

describeRows('a package that core ships', {
  'is shared when it satisfies its dependent': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: '3.25.0' },
    core: { zod: '3.22.0*' },
    shared: ['zod'],
    private: ['feature'],
  },
  'is not searched for conflicts in its own dependencies': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: feature({ deep: '1' }), deep: '1.0.0' },
    core: { zod: '3.22.0' },
    shared: ['zod'],
    private: ['feature'],
  },
  'is private for all when it does not satisfy one dependent': {
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
  'is private when it does not satisfy a private package': {
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
  'as an alias is not shared': {
    lock: { feature: feature({ zod: '*' }), zod: '3.25.0' },
    core: { zod: '' },
    private: ['feature', 'zod'],
  },
  'and nothing depends on is left out': {
    lock: { feature: '1.0.0', zod: '3.0.0' },
    core: { zod: '3.22.0*', other: '1.0.0*' },
    private: ['feature'],
  },
  'under a name of Object.prototype is shared like any other': {
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

describeRows('never shared', {
  'a dependency of a package with scripts, however deep': {
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
  'a dependency of a package with scripts, also if another dependent comes first': {
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
  'a dependency of a package with scripts that core declares in another version': {
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
  'the target of an `imports` field': {
    lock: { feature: feature({ zod: '^3.0.0' }), zod: '3.25.0' },
    core: { zod: '3.22.0*' },
    unshared: ['zod'],
    private: ['feature', 'zod'],
  },
  'the target of an `imports` field that core declares in another version': {
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
