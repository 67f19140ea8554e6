/** The targets of a key of `exports` or `imports`. */
import { expect, test } from 'vitest';
import { listTargets } from '../../../src/resolve/targets.ts';

const map = {
  '.': { import: './a.mjs', require: ['./a.cjs', null] },
  './exact': './exact.js',
  './*': { types: './types/*.d.ts', default: './all/*.js' },
  './deep/*': './deep/*/index.js',
  './deep/*.json': './data/*.json',
  './closed/*': null,
};

test.each([
  ['.', './one.js', ['./one.js']],
  ['.', { import: './a.mjs', default: './a.cjs' }, ['./a.mjs', './a.cjs']],
  ['./sub', './one.js', []],
  ['.', map, ['./a.mjs', './a.cjs']],
  ['./exact', map, ['./exact.js']],
  ['./x/y', map, ['./types/x/y.d.ts', './all/x/y.js']],
  ['./deep/x', map, ['./deep/x/index.js']],
  ['./deep/x.json', map, ['./data/x.json']],
  ['./closed/x', map, []],
  ['#x', { '#x': { node: 'dep', default: './x.js' } }, ['dep', './x.js']],
  ['#y/z', { '#y/*': './y/*.js' }, ['./y/z.js']],
  ['#x', undefined, []],
])('%s in %j: %j', (key, field, targets) => {
  expect(listTargets(field, key)).toEqual(targets);
});
