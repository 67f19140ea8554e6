/** A store on a network file system: two mounts of one GlusterFS volume, as two hosts have them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openTally, report, strikeAll, writeFigures } from '../support/fault-tally.ts';
import { openFaultWorld } from '../support/fault-world.ts';
import { listErrors, listKills, READING, sample } from '../support/faults.ts';
import { type Gluster, glusterProblem, openGluster } from '../support/gluster.ts';
import { node } from '../support/lock-files.ts';
import { canUnshare, OTHER_PIDS } from '../support/namespaces.ts';
import { ALL, closeRaces, openRaces, runRound, SAME } from '../support/rounds.ts';
import { straceProblem } from '../support/strace.ts';
import type { World } from '../support/world.ts';

const ROUNDS = 20;

const why = glusterProblem === undefined ? '' : ` (skipped: ${glusterProblem})`;

describe.runIf(glusterProblem === undefined)(`${node.label}${why}`, () => {
  let gluster: Gluster;
  let world: World;
  beforeAll(async () => {
    gluster = await openGluster();
    world = await openRaces();
  });
  afterAll(async () => {
    await closeRaces(world);
    await gluster.close();
  });

  /** A directory that both mounts have. */
  const makeVolumes = (name: string): [string, string] => {
    const [one, two] = gluster.mounts;
    mkdirSync(join(one, name));
    return [join(one, name), join(two, name)];
  };

  test.for([
    ['sixteen processes import the same missing feature', SAME, []],
    ['eight processes import eight missing features', ALL, []],
    ['the same, and those of one mount have process ids of their own', ALL, OTHER_PIDS],
  ] as const)('%s, on two mounts: one install of each', async ([what, race, prefix], { skip }) => {
    if (prefix.length > 0 && !canUnshare(OTHER_PIDS)) skip('no namespaces here');
    const [volume, other] = makeVolumes(`race-${race.processes}-${prefix.length}`);
    const total = { rounds: ROUNDS, installs: 0, successes: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const hosts = [{ volume }, { volume: other, prefix }] as const;
      const { installs, successes } = await runRound(world, race, hosts);
      total.installs += installs;
      total.successes += successes;
    }
    writeFigures(`netfs-race-${race.processes}-${prefix.length}`, { what, ...total });
  });

  test.runIf(straceProblem === undefined)(
    'a fault at system calls on one mount: the next process on the other one succeeds',
    async () => {
      const tally = openTally();
      const world = await openFaultWorld({ node: node.path, volumes: makeVolumes('faults') });
      try {
        for (const situation of ['empty', 'used'] as const) {
          const points = await world.record(situation);
          const errors = listErrors(points).filter(({ point }) => !READING.includes(point.kind));
          await strikeAll(world, situation, sample(listKills(points), 50), tally);
          await strikeAll(world, situation, sample(errors, 50), tally);
        }
      } finally {
        report('netfs-faults', tally);
        await world.close();
      }
    },
  );
});
