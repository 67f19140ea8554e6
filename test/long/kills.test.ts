/** G4: installers that are killed at any moment, with their child processes. */
import { expect, test } from 'vitest';
import { openTally, runAll, writeFigures } from '../support/fault-tally.ts';
import { openFaultWorld } from '../support/fault-world.ts';
import { node } from '../support/lock-files.ts';

const ROUNDS = 300;
/** Later than any install ends; ms. */
const NEVER = 600_000;

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

test('killed at a random moment: the next import succeeds, and nothing is left behind', async () => {
  const seed = Number(process.env.ANNEX_TEST_SEED ?? Date.now() % 2 ** 31);
  const random = makeRandom(seed);
  console.log(`ANNEX_TEST_SEED=${seed}`);
  const world = await openFaultWorld({ node: node.path });
  const tally = openTally();
  try {
    await world.record('empty');
    const start = performance.now();
    expect(await world.kill('empty', NEVER)).toEqual({ isHarmless: true, hit: undefined });
    // One import with its install and one without: slightly longer than an installer runs.
    const longest = performance.now() - start;
    const rounds = Array.from({ length: ROUNDS }, (_, index) => ({
      situation: index % 2 === 0 ? ('empty' as const) : ('used' as const),
      ms: Math.round(random() * longest),
    }));
    await runAll(
      rounds,
      ({ situation, ms }) => `${situation}, after ${ms} ms`,
      ({ situation, ms }) => world.kill(situation, ms),
      tally,
    );
    const { survivors } = tally;
    expect(survivors).toBeLessThan(ROUNDS);
    writeFigures('kills', { rounds: ROUNDS, survivors, longest: Math.round(longest), seed });
  } finally {
    await world.close();
  }
});
