/** What is taken from core, and what never is. */
import { describeRows, feature, peers } from '../../support/plan-rows.ts';

const OLD_ZOD = { feature: feature({ zod: '^4.0.0' }), zod: '4.0.0' };

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
