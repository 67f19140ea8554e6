/** Races, many times: one install of each feature, and success for everybody. */
import { test } from 'vitest';
import { ALL, openRaces, runRound, SAME } from '../support/rounds.ts';

const ROUNDS = 50;

test.for([
  ['sixteen processes import the same missing feature', SAME],
  ['eight processes import eight missing features', ALL],
] as const)('%s', async ([what, race], context) => {
  const world = await openRaces(context);
  const start = performance.now();
  const total = { installs: 0, successes: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const { installs, successes } = await runRound(world, race, round);
    total.installs += installs;
    total.successes += successes;
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    `${what}: ${ROUNDS} rounds, ${total.installs} installs, ${total.successes} successes, ${seconds} s`,
  );
});
