/** G5: whatever is changed in an entry, what runs is what was installed, or the request fails. */
import { describe, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { findCounterexamples } from '../support/random-tampering.ts';
import type { When } from '../support/tamper-round.ts';

const COUNT = 20;
const seed = Number(process.env.ANNEX_TEST_SEED ?? Date.now() % 2 ** 31);
const WHENS: [name: string, when: When][] = [
  ['before the start', 'before'],
  ['while the process runs', 'running'],
];

describe.each(nodes)('$label', (node) => {
  test.for(WHENS)(
    `entries of ANNEX_TEST_SEED=${seed} that change %s`,
    async ([, when], { expect }) => {
      expect(await findCounterexamples({ node, when, seed, count: COUNT })).toEqual([]);
    },
  );
});
