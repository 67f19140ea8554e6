/** Plans as data: a lock, packages of core, and the plan. */
import { describe, expect, test } from 'vitest';
import { type Locked, makePlan, type Situation, summarize } from './lock.ts';

/** Input of a plan, and the plan. */
export type Row = Situation & {
  shared?: string[];
  private: string[];
  /** As `describeConflict` formats them. */
  conflict?: string[];
};

/** A test for each row. */
export function describeRows(title: string, rows: Record<string, Row>): void {
  describe(title, () => {
    test.each(Object.entries(rows))(
      '%s',
      (_, { shared = [], private: own, conflict = [], ...situation }) => {
        const expected = { shared, private: own, conflicts: conflict };
        expect(summarize(makePlan(situation))).toEqual(expected);
      },
    );
  });
}

/** A package of version 1.0.0 with dependencies. */
export const feature = (dependencies: Record<string, string>, rest: object = {}): Locked => ({
  version: '1.0.0',
  dependencies,
  ...rest,
});

/** One with peer dependencies. */
export const peers = (peerDependencies: Record<string, string>, rest: object = {}): Locked => ({
  version: '1.0.0',
  peerDependencies,
  ...rest,
});

/** One whose peer dependencies are all optional. */
export const optionalPeers = (peerDependencies: Record<string, string>): Locked =>
  peers(peerDependencies, {
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(peerDependencies).map((name) => [name, { optional: true }]),
    ),
  });
