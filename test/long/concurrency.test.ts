/** Many races: one install of each feature, and success for every process. */
import { beforeAll, expect, test } from 'vitest';
import { canListProcesses } from '../support/processes.ts';
import { ALL, closeRaces, openRaces, runKilling, runRound, SAME } from '../support/rounds.ts';
import type { World } from '../support/world.ts';

const ROUNDS = 50;

let world: World;
beforeAll(async () => {
  world = await openRaces();
  return () => closeRaces(world);
});

test.for([
  ['sixteen processes import the same missing feature', SAME],
  ['eight processes import eight missing features', ALL],
] as const)('%s', async ([what, race]) => {
  const start = performance.now();
  const total = { installs: 0, successes: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const { installs, successes } = await runRound(world, race);
    total.installs += installs;
    total.successes += successes;
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    `${what}: ${ROUNDS} rounds, ${total.installs} installs, ${total.successes} successes, ${seconds} s`,
  );
});

test.runIf(canListProcesses)('five of six installers are killed at any moment', async () => {
  world.registry.fault({ kind: 'slow', ms: 100 }, /\.tgz$/);
  const start = performance.now();
  let killed = 0;
  for (let round = 0; round < 2 * ROUNDS; round++) {
    killed += await runKilling(world, Math.random);
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${2 * ROUNDS} rounds, ${killed} of ${12 * ROUNDS} installers killed, ${seconds} s`);
  expect(killed).toBeGreaterThan(2 * ROUNDS);
});
