/** Short notations for package-locks and inventories of core, and plans made from them. */
import { isRange, satisfies } from '../../src/base/semver.ts';
import { type LockGraph, readGraph } from '../../src/plan/graph.ts';
import { type Inventory, type Plan, type PlanInput, plan } from '../../src/plan/plan.ts';
import type { Conflict, Refusal } from '../../src/types.ts';

/** A package of a package-lock; a string is its version. */
export type Locked = string | { version: string; [key: string]: unknown };

/**
 * A package-lock of version 3.
 *
 * @param packages by place: `alpha`, or `alpha > beta` for the one that is nested
 */
export const makeLock = (packages: Record<string, Locked>) => ({
  lockfileVersion: 3,
  packages: Object.fromEntries(
    Object.entries(packages).map(([place, locked]) => [
      place
        .split(' > ')
        .map((name) => `node_modules/${name}`)
        .join('/'),
      typeof locked === 'string' ? { version: locked } : locked,
    ]),
  ),
});

/**
 * Packages that core ships.
 *
 * @param shipped name to version; a star behind it: declared by core; then the names of its peers
 * @example makeInventory({ zod: '3.22.0*', 'zod-form': '1.0.0 zod react' })
 */
export const makeInventory = (shipped: Record<string, string>): Inventory =>
  new Map(
    Object.entries(shipped).map(([name, text]) => {
      const [version = '', ...peers] = text.split(' ');
      const isDeclared = version.endsWith('*');
      return [name, { version: version.replace('*', ''), isDeclared, peers }];
    }),
  );

/** The real semver. */
export const RANGES = { isRange, satisfies };

/** Input of a plan; the feature is any version of `feature` by default. */
export interface Situation extends Partial<Omit<PlanInput, 'graph' | 'inventory'>> {
  lock: Record<string, Locked>;
  core?: Record<string, string>;
}

/** @throws if that is no lock */
export function makeGraph(packages: Record<string, Locked>): LockGraph {
  return readGraph(makeLock(packages), refuseLock);
}

/** The refusal of a lock, whose reason is the clause about it. */
export const refuseLock = (reason: string): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint: 'lock again',
});

/** @throws if that is no lock */
export function makePlan({ lock, core = {}, ...rest }: Situation): Plan {
  const inventory = makeInventory(core);
  const usual = { conflicts: 'fail', share: true, scripts: [], unshared: [] } as const;
  const input = { packages: { feature: '*' }, ...usual, scripts: [], unshared: [], ...rest };
  return plan({ ...input, graph: makeGraph(lock), inventory }, RANGES);
}

/** An edge that does not fit in a line: `alpha 1.0.0 > zod ^4 peer: core 3.22.0`. */
export const describeConflict = (conflict: Conflict): string => {
  const { dependent, dependency, range, kind, of, version, isFit, isNestable } = conflict;
  const marks = [isFit && 'fits', isNestable && 'nestable'].filter((mark) => mark);
  return [`${dependent} > ${dependency} ${range} ${kind}:`, of, version, ...marks]
    .filter((part) => part !== undefined)
    .join(' ');
};

/** A plan in short notation. */
export const summarize = ({ shared, private: own, conflicts }: Plan) => ({
  shared: Object.keys(shared),
  private: own,
  conflicts: conflicts.map(describeConflict),
});
