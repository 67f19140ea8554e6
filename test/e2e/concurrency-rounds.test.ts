/** Races, a sample of test/long: one install of each feature, and success for every process. */
import { beforeAll, test } from 'vitest';
import { ALL, closeRaces, openRaces, runRound, SAME } from '../support/rounds.ts';
import type { World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await openRaces();
  return () => closeRaces(world);
});

test('sixteen processes import the same missing feature: one install, sixteen successes', async () => {
  for (let round = 0; round < 2; round++) await runRound(world, SAME);
});

test('eight processes import eight missing features: one install of each, eight successes', async () => {
  await runRound(world, ALL);
});
