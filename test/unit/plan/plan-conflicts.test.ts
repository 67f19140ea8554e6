/** A package that core ships in a version that does not satisfy is a conflict, or gets a private copy. */
import { describeRows, feature } from '../../support/plan-rows.ts';

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
  'in range is in the entry when nothing is shared': {
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
  'gets a private copy when core declares it and conflicts are nested': {
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
  'is listed once, however many copies of the dependent there are': {
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
