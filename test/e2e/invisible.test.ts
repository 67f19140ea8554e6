/** G7: a program that uses nothing declared cannot tell that annex is there. */
import { beforeAll, describe, test } from 'vitest';
import { programs as contexts } from '../data/invisible/contexts.ts';
import { programs as errors } from '../data/invisible/errors.ts';
import { programs as flags } from '../data/invisible/flags.ts';
import { programs as modules } from '../data/invisible/modules.ts';
import { programs as processes } from '../data/invisible/process.ts';
import { programs as schedule } from '../data/invisible/schedule.ts';
import { programs as threads } from '../data/invisible/threads.ts';
import { programs as tools } from '../data/invisible/tools.ts';
import { compareProgram, openWorlds, type Worlds } from '../support/conformance.ts';
import { nodes } from '../support/nodes.ts';

const groups = { process: processes, schedule, modules, contexts, errors, threads, flags, tools };

describe.each(nodes)('G7: $label', (node) => {
  let worlds: Worlds;
  beforeAll(async () => {
    worlds = await openWorlds();
  });

  describe.concurrent.each(Object.entries(groups))('%s', (_, programs) => {
    const some = programs.filter(({ runsOn }) => runsOn?.(node) ?? true);
    test.for(some)('$title', async (program, { expect: check }) => {
      for (const { mode, annex, plain } of await compareProgram(worlds, program, node)) {
        check({ mode, seen: annex }).toEqual({ mode, seen: plain });
        check(plain.map(({ stdout, stderr }) => stdout + stderr).join('')).toMatch(program.shows);
      }
    });
  });
});
