/** Random closures, cores and declarations: small, so that all combinations occur. */
import fc from 'fast-check';
import { isRange, satisfies } from '../../src/base/semver.ts';
import type { Edge, LockGraph } from '../../src/plan/graph.ts';
import type { Locked, Situation } from './lock.ts';

const NAMES = ['a', 'b', 'c', 'd', '@s/e'];
const VERSIONS = ['1.0.0', '1.5.0', '2.0.0', '2.0.0-rc.1'];
const RANGES = ['*', '^1.0.0', '>=1.5', '^2.0.0', '1.0.0', '^2.0.0-rc.0', 'latest', 'npm:a@^1.0.0'];

const name = fc.constantFrom(...NAMES);
/** Most ranges fit: otherwise nothing would ever be shared. */
const range = fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, fc.constantFrom(...RANGES));
const ranges = fc.dictionary(name, range, { maxKeys: 2, noNullPrototype: true });
const rarely = (value: object) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant({}) }, fc.constant(value));

const locked: fc.Arbitrary<Locked> = fc
  .tuple(
    fc.record({
      version: fc.constantFrom(...VERSIONS),
      dependencies: ranges,
      optionalDependencies: fc.oneof(fc.constant({}), ranges),
      peerDependencies: fc.oneof(fc.constant({}), ranges),
    }),
    fc.subarray(NAMES),
    rarely({ inBundle: true }),
    rarely({ name: 'a' }),
    rarely({ os: ['darwin'] }),
    rarely({ engines: { node: '<10' } }),
  )
  .map(([lists, optional, ...rest]) => {
    const meta = Object.fromEntries(optional.map((one) => [one, { optional: true }]));
    return Object.assign({}, lists, { peerDependenciesMeta: meta }, ...rest) as Locked;
  });

const place = fc.oneof(
  { weight: 3, arbitrary: name },
  fc.tuple(fc.constantFrom('feature', ...NAMES), name).map((names) => names.join(' > ')),
);

const shipped = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...VERSIONS) }, fc.constant('')),
    fc.boolean(),
    fc.oneof(
      { weight: 2, arbitrary: fc.constant<string[]>([]) },
      fc.subarray(NAMES, { maxLength: 2 }),
    ),
  )
  .map(([version, isDeclared, peers]) => [version + (isDeclared ? '*' : ''), ...peers].join(' '));

/** A feature of one or two packages, its lock, and the packages of core. */
export const situation: fc.Arbitrary<Required<Situation>> = fc.record({
  lock: fc
    .tuple(locked, fc.dictionary(place, locked, { maxKeys: 9, noNullPrototype: true }))
    .map(([feature, others]) => {
      // Only nested packages are bundled.
      const entries = Object.entries({ ...others, feature }).map(([at, one]) =>
        at.includes(' > ') ? [at, one] : [at, Object.assign({}, one, { inBundle: undefined })],
      );
      return Object.fromEntries(entries) as Record<string, Locked>;
    }),
  core: fc.dictionary(name, shipped, { maxKeys: 5, noNullPrototype: true }),
  packages: fc.constantFrom<Record<string, string>>(
    { feature: '*' },
    { feature: '^1.0.0' },
    { feature: '*', a: '*' },
  ),
  conflicts: fc.constantFrom('fail', 'nest'),
  share: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
  scripts: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    fc.subarray(NAMES, { maxLength: 1 }),
  ),
  unshared: fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    fc.subarray(NAMES, { maxLength: 1 }),
  ),
});

/** Whether a package of the lock satisfies an edge; deliberately independent of src/. */
export function answers(graph: LockGraph, { to = '', name, range }: Edge): boolean {
  const node = graph.get(to);
  if (node === undefined) return false;
  if (range.startsWith('npm:')) {
    return node.name === 'a' && satisfies(node.version, range.slice('npm:a@'.length));
  }
  return !isRange(range) || (node.name === name && satisfies(node.version, range));
}
