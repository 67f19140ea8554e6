/** G5: thousands of entries that are changed at random. `ANNEX_TEST_NODES` adds versions of Node. */
import { expect, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { findCounterexamples } from '../support/random-tampering.ts';

const ROUNDS = 20;
const COUNT = 100;

test('whatever is changed in an entry, what runs is what was installed, or the request fails', async () => {
  const seed = Number(process.env.ANNEX_TEST_SEED ?? Date.now() % 2 ** 31);
  console.log(`ANNEX_TEST_SEED=${seed}`);
  const found = [];
  for (const node of nodes) {
    for (let round = 0; round < ROUNDS; round++) {
      for (const when of ['before', 'running'] as const) {
        const options = { node, when, seed: seed + round * COUNT, count: COUNT };
        found.push(...(await findCounterexamples(options)));
      }
    }
  }
  expect(found).toEqual([]);
});
