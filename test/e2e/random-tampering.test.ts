/** G5: whatever is changed in an entry, what runs is what was installed, or the request fails. */
import { describe, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { nodes } from '../support/nodes.ts';
import { isForeignScript } from '../support/probe-texts.ts';
import { drawCase, OUTSIDE } from '../support/random-tampering.ts';
import { runCases, type When } from '../support/tamper-round.ts';

const COUNT = 30;
const seed = Number(process.env.ANNEX_TEST_SEED ?? Date.now() % 2 ** 31);

describe.each(nodes)('$label', (node) => {
  const isWatched = canWatchLoads(node.label.slice(1));

  test.for<[name: string, when: When]>([
    ['before the start', 'before'],
    ['while the process runs', 'running'],
  ])('%s', async ([, when], { expect }) => {
    const cases = Array.from({ length: COUNT }, (_, number) => drawCase(seed, number));
    const outcomes = await runCases(cases, { node, when, planted: OUTSIDE });
    const found = outcomes.flatMap(({ differences, changes }, number) => {
      const all = isWatched || when === 'before';
      const counted = differences.filter((each) => all || isForeignScript(each));
      return counted.length === 0 ? [] : [{ seed, number, counted, changes }];
    });
    expect(found).toEqual([]);
  });
});
