/** Peers: wholly shared or wholly private, and never nested if the application uses them too. */
import { describeRows, feature, optionalPeers, peers } from '../../support/plan-rows.ts';

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
  'of a declared package that core does not ship is in the entry': {
    lock: { feature: peers({ react: '^19.0.0' }), react: '19.0.0' },
    private: ['feature', 'react'],
  },
  'of a declared package that fits is a conflict when another dependent makes it private': {
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
  'of a declared package is a conflict when a package reaches it past every hook': {
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
  'of a second copy of a declared package is not used by the application': {
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
  'that is private makes shared packages private that have it as a peer': {
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
  'that no package provides makes no package private': {
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
  'adds nothing to the entry': {
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
  'that another package adds in an unfit version is a misfit': {
    lock: {
      feature: feature({ ui: '*', react: '^18.0.0' }),
      ui: optionalPeers({ react: '^19.0.0' }),
      react: '18.3.0',
    },
    private: ['feature', 'react', 'ui'],
    conflict: ['ui 1.0.0 > react ^19.0.0 optional peer: closure 18.3.0'],
  },
});
