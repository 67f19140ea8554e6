/** G5: a change that gives plain Node another answer does not change what runs from an entry: the request fails, or meets what was installed. */
import { beforeAll, describe, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { nodes } from '../support/nodes.ts';
import type { Case } from '../support/probe-entry.ts';
import { isForeign } from '../support/probe-texts.ts';
import { type Outcome, runCases, type When } from '../support/tamper-round.ts';
import { MANIFEST_CHANGES, NEARER_CHANGES, PATH_CHANGES } from '../support/touched-changes.ts';
import { makeTouched } from '../support/touched-entry.ts';

const all = Object.entries({ ...MANIFEST_CHANGES, ...NEARER_CHANGES, ...PATH_CHANGES });

const cases = all.map(([, toChanges], number): Case => {
  const name = `kit${number}`;
  const changes = toChanges(name, `node_modules/${name}`);
  // The first request loads the package; every other file is untouched then.
  return { entry: makeTouched(name), changes, early: 1, hasSpare: number % 2 === 0 };
});

const WHENS: When[] = ['before', 'running'];

describe.each(nodes)('$label', (node) => {
  const isWatched = canWatchLoads(node.label.slice(1));

  describe.each(WHENS)('%s', (when) => {
    let outcomes: Outcome[];
    beforeAll(async () => {
      outcomes = await runCases(cases, { node, when, isCompared: when === 'before' });
    });

    test.for(all.map(([what], number) => [what, number] as const))(
      '%s',
      ([, number], { expect }) => {
        const { differences, plain, sound } = outcomes[number] as Outcome;
        expect(sound).toBeGreaterThan(60);
        if (when === 'before') expect(plain).not.toEqual([]);
        const counted = differences.filter(
          (each) => when === 'before' || isForeign(each, isWatched),
        );
        expect(counted).toEqual([]);
      },
    );
  });
});
