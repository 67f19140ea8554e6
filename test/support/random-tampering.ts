/** Draws entries and changes of them, and finds those that make something else run. */
import fc from 'fast-check';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import type { Case, Change, ProbeEntry } from './probe-entry.ts';
import { isForeign } from './probe-texts.ts';
import { OUTSIDE, randomChanges } from './random-changes.ts';
import { randomEntry } from './random-entry.ts';
import { type RoundOptions, runCases } from './tamper-round.ts';

/** The case of a number in a series that a seed determines. */
function drawCase(seed: number, number: number): Case {
  const settings = { seed: seed + number, numRuns: 1 };
  const [entry] = fc.sample(randomEntry(number), settings) as [ProbeEntry];
  const [others] = fc.sample(randomFate(entry), settings) as [Omit<Case, 'entry'>];
  return { entry, ...others };
}

const randomFate = (entry: ProbeEntry): fc.Arbitrary<Omit<Case, 'entry'>> =>
  fc.record({
    changes: randomChanges(entry),
    early: fc.integer({ min: 0, max: 3 }),
    hasSpare: fc.boolean(),
  });

/** A case in which something else ran or was found. */
export interface Counterexample {
  /** The case: `drawCase(seed, number)`. */
  seed: number;
  number: number;
  node: string;
  differences: string[];
  changes: Change[];
}

/** Runs the first cases of a seed in one round. */
export async function findCounterexamples({
  seed,
  count,
  ...round
}: RoundOptions & { seed: number; count: number }): Promise<Counterexample[]> {
  const { node, when } = round;
  const isWatched = canWatchLoads(node.label.slice(1));
  const cases = Array.from({ length: count }, (_, number) => drawCase(seed, number));
  const outcomes = await runCases(cases, { planted: OUTSIDE, ...round });
  return outcomes.flatMap(({ differences: all, changes }, number) => {
    const differences = all.filter((each) => when === 'before' || isForeign(each, isWatched));
    if (differences.length === 0) return [];
    return [{ seed, number, node: node.label, differences, changes }];
  });
}
