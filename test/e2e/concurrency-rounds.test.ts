/** Races, a sample of those in test/long: one install of each feature, and success for everybody. */
import { test } from 'vitest';
import { ALL, openRaces, runRound, SAME } from '../support/rounds.ts';

test('sixteen processes import the same missing feature: one install, sixteen successes', async (context) => {
  const world = await openRaces(context);
  for (const round of [0, 1]) await runRound(world, SAME, round);
});

test('eight processes import eight missing features: one install of each, eight successes', async (context) => {
  await runRound(await openRaces(context), ALL, 0);
});
