/** G4, G6: an installer that is killed, or gets an error, at one system call: a sample of `npm run test:faults`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTally, report, runAll, strikeAll } from '../support/fault-tally.ts';
import { type FaultWorld, openFaultWorld } from '../support/fault-world.ts';
import { listErrors, listKills, READING, sample } from '../support/faults.ts';
import { node } from '../support/lock-files.ts';
import { straceProblem } from '../support/strace.ts';

const why = straceProblem === undefined ? '' : ` (skipped: ${straceProblem})`;

describe.runIf(straceProblem === undefined)(`${node.label}${why}`, () => {
  const tally = openTally();
  let world: FaultWorld;
  beforeAll(async () => {
    world = await openFaultWorld({ node: node.path });
  });
  afterAll(async () => {
    report('faults-sample', tally);
    await world.close();
  });

  test.each(['empty', 'used'] as const)(
    'killed at a system call, with a store that is %s: the next import succeeds, and nothing is left behind',
    async (situation) => {
      const points = await world.record(situation);
      await strikeAll(world, situation, sample(listKills(points), 20), tally);
    },
  );

  test.each(['empty', 'used'] as const)(
    'a system call fails, with a store that is %s: the error has the reason, the store is unchanged, and the next import succeeds',
    async (situation) => {
      const points = await world.record(situation);
      const errors = listErrors(points);
      const ofWriting = errors.filter(({ point }) => !READING.includes(point.kind));
      const ofReading = errors.filter(({ point }) => READING.includes(point.kind));
      const some = [...sample(ofWriting, 22), ...sample(ofReading, 8)];
      await strikeAll(world, situation, some, tally);
    },
  );

  test('files that are cut at a length: the error is EFBIG, and no partial entry is visible', async () => {
    const cuts = openTally();
    const lengths = [0, 16, 90, 400];
    await runAll(
      lengths,
      (bytes) => `${bytes} bytes`,
      (bytes) => world.cut('empty', bytes),
      cuts,
    );
    expect(cuts.survivors).toBe(0);
    const whole = openTally();
    await runAll([1_000_000], String, (bytes) => world.cut('empty', bytes), whole);
    expect(whole.survivors).toBe(1);
  });

  test('most faults hit, each in another place', () => {
    expect(tally.runs).toBe(100);
    expect(tally.hits.size).toBeGreaterThan(80);
  });
});
