/** Runs many faults, a few at a time, and counts their outcomes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FaultWorld, Finding, Situation } from './fault-world.ts';
import type { Strike } from './faults.ts';

/** Concurrent runs: in each, programs mostly wait for each other. */
const PARALLEL = 3;

/** Outcomes of all faults so far. */
export interface Tally {
  runs: number;
  /** `FAULT: CALL PLACE COUNT` of each distinct fault that was injected. */
  hits: Set<string>;
  /** Runs that did not reach the place. */
  missed: number;
  /** Imports that succeeded in spite of the fault. */
  survivors: number;
  startedAt: number;
}

export const openTally = (): Tally => ({
  runs: 0,
  hits: new Set(),
  missed: 0,
  survivors: 0,
  startedAt: performance.now(),
});

/** Runs all, and expects no problem after each. */
export async function runAll<T>(
  harms: readonly T[],
  describe: (harm: T) => string,
  run: (harm: T) => Promise<Finding>,
  tally: Tally,
): Promise<void> {
  const problems: string[] = [];
  const queue = [...harms];
  const work = async (): Promise<void> => {
    for (let harm = queue.shift(); harm !== undefined; harm = queue.shift()) {
      const { hit, isHarmless, problem } = await run(harm);
      tally.runs += 1;
      if (isHarmless) tally.survivors += 1;
      if (hit === undefined) tally.missed += 1;
      else tally.hits.add(hit);
      if (problem !== undefined) problems.push(`${describe(harm)}, ${hit ?? 'missed'}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  expect(problems).toEqual([]);
}

/** Injects faults into system calls, and expects the store to be as `FaultWorld` describes. */
export const strikeAll = (
  world: FaultWorld,
  situation: Situation,
  strikes: readonly Strike[],
  tally: Tally,
): Promise<void> =>
  runAll(
    strikes,
    ({ point, fault }) => `${situation}, ${fault} at ${point.name} ${point.ordinal}`,
    async (strike) => {
      const { hit, ...rest } = await world.strike(situation, strike);
      return { ...rest, hit: hit && `${strike.fault}: ${hit}` };
    },
    tally,
  );

const countBy = (texts: string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
};

/** Prints the outcomes. */
export function report(name: string, tally: Tally, more: object = {}): void {
  const { runs, missed, survivors, startedAt } = tally;
  const hits = [...tally.hits].map((hit) => /^(.*?): (\S+)/.exec(hit) ?? []);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const faults = countBy(hits.map(([, fault = '']) => fault));
  const calls = countBy(hits.map(([, , call = '']) => call));
  const figures = { runs, distinct: hits.length, missed, survivors, seconds, faults, calls };
  writeFigures(name, { ...figures, ...more });
}

/**
 * Prints figures on one line, and writes them as JSON into the directory that ANNEX_TEST_FIGURES
 * names.
 */
export function writeFigures(name: string, figures: object): void {
  const all = { ...figures, node: process.version };
  console.log(`${name}: ${JSON.stringify(all)}`);
  const dir = process.env.ANNEX_TEST_FIGURES;
  if (dir) writeFileSync(join(dir, `${name}.json`), `${JSON.stringify(all, null, 2)}\n`);
}
