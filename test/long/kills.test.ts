/** G4: installers that are killed at any moment, with all that they have started. */
import { expect, test } from 'vitest';
import { openTally, report, runAll } from '../support/fault-tally.ts';
import { openFaultWorld } from '../support/fault-world.ts';
import { node } from '../support/lock-files.ts';

const ROUNDS = 300;
/** An install takes about as long; ms. */
const LONGEST = 400;

/** Numbers from 0 to 1, the same for the same seed: https://github.com/bryc/code (mulberry32). */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('killed at a random moment: the next import has it, and nothing is left', async () => {
  const seed = Number(process.env.ANNEX_TEST_SEED ?? Date.now() % 2 ** 31);
  const random = makeRandom(seed);
  console.log(`ANNEX_TEST_SEED=${seed}`);
  const world = await openFaultWorld({ node: node.path });
  const tally = openTally();
  try {
    await world.record('empty');
    const rounds = Array.from({ length: ROUNDS }, (_, index) => ({
      situation: index % 2 === 0 ? ('empty' as const) : ('used' as const),
      ms: Math.round(random() * LONGEST),
    }));
    await runAll(
      rounds,
      ({ situation, ms }) => `${situation}, after ${ms} ms`,
      ({ situation, ms }) => world.kill(situation, ms),
      tally,
    );
    expect(tally.survivors).toBeLessThan(ROUNDS);
  } finally {
    report('kills', tally, { seed });
    await world.close();
  }
});
