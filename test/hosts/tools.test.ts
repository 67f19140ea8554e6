/** G7: loaders, test runners and package managers work under the preload as without it, whichever is preloaded first. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { LOADERS, programs as loaders } from '../data/invisible/loaders.ts';
import { RUNNERS, programs as runners } from '../data/invisible/runners.ts';
import { compareProgram, openWorlds, type Worlds } from '../support/conformance.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { describeNode, nodes as given, type NodeUnderTest } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';

/** Those in ANNEX_TEST_NODES; otherwise the one in PATH, and the newest. */
const nodes = process.env.ANNEX_TEST_NODES ? given : [...given, findNewest()];

function findNewest(): NodeUnderTest {
  const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
  const listed = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
  return describeNode(listed.split(' ').at(-1) ?? '');
}

let worlds: Worlds;

beforeAll(async () => {
  const tools = await createSandbox({ linkAnnex: false });
  tools.write('app/package.json', { private: true });
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-save'];
  const args = ['install', ...flags, '--no-package-lock', ...LOADERS, ...RUNNERS];
  const installed = await tools.exec('npm', args, { env: readMachineEnvironment() });
  expect(installed, installed.stderr).toMatchObject({ code: 0 });
  worlds = await openWorlds(({ core }) => {
    // Hard links: the packages are large, and no program writes into them.
    execFileSync('cp', ['-al', `${tools.core}/node_modules/.`, join(core, 'node_modules')]);
  });
});

describe.each(nodes)('$label', (node) => {
  test.each([...loaders, ...runners])('$title', async (program) => {
    for (const { mode, annex, plain } of await compareProgram(worlds, program, node)) {
      expect({ mode, seen: annex }).toEqual({ mode, seen: plain });
      expect(plain.map(({ stdout, stderr }) => stdout + stderr).join('')).toMatch(program.shows);
    }
  });
});
