/** Commands that judge all entries of a store: they open each manifest once, and their file calls grow with the entries. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { straceProblem, traceFiles } from '../support/strace.ts';

const cli = join(repositoryRoot, 'dist', 'cli', 'main.js');
const FEATURES = ['alpha', 'beta', 'gamma'];
const FEW = 10;
const MANY = 30;
/** An entry has six files in three directories: those that show sizes look at each of them. */
const COMMANDS = [
  ['why alpha', 10],
  ['list', 10],
  ['store ls', 30],
  ['store df', 35],
] as const;

describe.runIf(straceProblem === undefined).each(outerNodes)('$label', (node) => {
  const open = async (count: number) => {
    const { sandbox, plant } = await openCli(node);
    sandbox.setCore({ features: Object.fromEntries(FEATURES.map((name) => [name, '^1.0.0'])) });
    for (const name of FEATURES) {
      for (let at = 0; at < count; at++) plant(name, `1.0.${at}`);
    }
    return async (args: readonly string[]) => {
      const env = { ANNEX_STORE: sandbox.store };
      const calls = await traceFiles(sandbox, [cli, ...args], { node: node.path, env });
      const opened = calls
        .filter(({ name }) => name.startsWith('open'))
        .flatMap(({ paths }) => paths.filter((path) => path.endsWith('/annex-entry.json')));
      return { calls: calls.length, opened };
    };
  };

  test.each(COMMANDS)('annex %s opens each manifest once', async (command, most) => {
    const args = command.split(' ');
    const few = await (await open(FEW))(args);
    const many = await (await open(MANY))(args);
    expect(many.opened).toHaveLength(FEATURES.length * MANY);
    expect(new Set(many.opened).size).toBe(many.opened.length);
    const added = FEATURES.length * (MANY - FEW);
    expect((many.calls - few.calls) / added).toBeLessThan(most);
  });
});
