/** G4, G6: every system call of an install, with a kill and each possible error. */
import { afterAll, describe, expect, test } from 'vitest';
import { openTally, report, runAll, strikeAll } from '../support/fault-tally.ts';
import { openFaultWorld } from '../support/fault-world.ts';
import { listErrors, listKills, sample } from '../support/faults.ts';
import { node } from '../support/lock-files.ts';
import { straceProblem } from '../support/strace.ts';
import { isRoot, PLAIN_USER } from '../support/user.ts';

/** At most, of each kind. */
const MOST = { kills: 300, errors: 800, asUser: 100, ofNpm: 60 };

const why = straceProblem === undefined ? '' : ` (skipped: ${straceProblem})`;

describe.runIf(straceProblem === undefined)(`${node.label}${why}`, () => {
  const tally = openTally();
  afterAll(() => report('faults', tally));

  test.each(['empty', 'used'] as const)(
    'from a lock, with a store that is %s: killed at each call, and each error at each',
    async (situation) => {
      const world = await openFaultWorld({ node: node.path });
      try {
        const points = await world.record(situation);
        await strikeAll(world, situation, sample(listKills(points), MOST.kills), tally);
        await strikeAll(world, situation, sample(listErrors(points), MOST.errors), tally);
      } finally {
        await world.close();
      }
    },
  );

  test.runIf(isRoot).each(['empty', 'used'] as const)(
    'the same as a plain user, with a store that is %s',
    async (situation) => {
      const world = await openFaultWorld({ node: node.path, user: PLAIN_USER });
      try {
        const points = await world.record(situation);
        await strikeAll(world, situation, sample(listKills(points), MOST.asUser), tally);
        await strikeAll(world, situation, sample(listErrors(points), MOST.asUser), tally);
      } finally {
        await world.close();
      }
    },
  );

  test('without a lock, where npm runs', async () => {
    const world = await openFaultWorld({ node: node.path, isUnlocked: true });
    try {
      const points = await world.record('empty');
      await strikeAll(world, 'empty', sample(listKills(points), MOST.ofNpm), tally);
      await strikeAll(world, 'empty', sample(listErrors(points), MOST.ofNpm), tally);
    } finally {
      await world.close();
    }
  });

  test('files that are cut at each length', async () => {
    const world = await openFaultWorld({ node: node.path });
    const cuts = openTally();
    try {
      const lengths = Array.from({ length: 100 }, (_, index) => index * 8);
      await runAll(
        lengths,
        (bytes) => `${bytes} bytes`,
        (bytes) => world.cut('used', bytes),
        cuts,
      );
    } finally {
      report('cuts', cuts);
      await world.close();
    }
  });

  test('at least a thousand distinct faults were injected', () => {
    expect(tally.hits.size).toBeGreaterThanOrEqual(1_000);
  });
});
