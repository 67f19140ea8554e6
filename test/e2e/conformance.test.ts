/** G7: around resolution, a program that uses no feature ends as without annex, and with the same output. */
import { beforeAll, describe, test } from 'vitest';
import { topics } from '../data/conformance/index.ts';
import { toProgram } from '../data/conformance/program.ts';
import { compareProgram, type Worlds } from '../support/conformance.ts';
import { nodes } from '../support/nodes.ts';
import { openResolutionWorlds } from '../support/resolution-world.ts';

describe.each(nodes)('G7: $label', (node) => {
  let worlds: Worlds;
  beforeAll(async () => {
    worlds = await openResolutionWorlds(node);
  });

  describe.concurrent.each(Object.entries(topics))('%s', (_, cases) => {
    const some = cases.map(toProgram).filter(({ runsOn }) => runsOn?.(node) ?? true);
    test.for(some)('$title', async (program, { expect: check }) => {
      for (const { mode, annex, plain } of await compareProgram(worlds, program, node)) {
        check({ mode, seen: annex }).toEqual({ mode, seen: plain });
        check(plain.map(({ stdout, stderr }) => stdout + stderr).join('')).toMatch(program.shows);
      }
    });
  });
});
