/** Rounds of tampering: many entries, each loaded as it was installed and after it was changed. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeUnderTest } from './nodes.ts';
import { type Case, type Change, observe, publishProbe, type Seen } from './probe-entry.ts';
import { createSandbox } from './sandbox.ts';

/** Whether entries are changed before the program starts, or by the program after its early requests. */
export type When = 'before' | 'running';

/** Options of a round. */
export interface RoundOptions {
  node: NodeUnderTest;
  when: When;
  /** Files that are also planted, by path below an entry; by default none. */
  planted?: Record<string, string>;
  /** Whether the changed entries are also loaded without annex. */
  isCompared?: boolean;
}

/** What became of a case. */
export interface Outcome {
  changes: Change[];
  /** What the program got or ran that it did not get or run before the change. */
  differences: string[];
  /** What it gets or runs after the change without annex; empty unless the round compares. */
  plain: string[];
  /** Number of requests that succeeded before the change, and of those whose result is the same after it. */
  sound: number;
  kept: number;
}

/** Runs a round: one program loads all entries as they were installed, another loads them changed. */
export async function runCases(
  cases: readonly Case[],
  { node, when, planted = {}, isCompared = false }: RoundOptions,
): Promise<Outcome[]> {
  const sandbox = await createSandbox({ node: node.path });
  sandbox.setCore({ features: Object.fromEntries(cases.map(({ entry }) => [entry.name, '*'])) });
  const program = fileURLToPath(new URL('observe.mjs', import.meta.url));
  copyFileSync(program, join(sandbox.core, 'observe.mjs'));
  const dirs = cases.map((each) => publishProbe(sandbox, each));
  const before = await observe(sandbox, cases, dirs, 'load');
  if (when === 'before') await observe(sandbox, cases, dirs, 'change');
  for (const [path, text] of Object.entries(planted))
    sandbox.write(join(dirs[0] ?? '', path), text);
  const after = await observe(sandbox, cases, dirs, when === 'before' ? 'load' : 'change and load');
  const plainAfter = isCompared ? await observe(sandbox, cases, dirs, 'load without annex') : [];
  await sandbox.cleanup();
  return cases.map(({ changes }, index) => {
    const [wanted, got] = [before[index] as Seen, after[index] as Seen];
    const values = Object.entries(wanted.seen).filter(([, value]) => !value.startsWith('!'));
    return {
      changes,
      differences: compare(wanted, got),
      plain: isCompared ? compare(wanted, plainAfter[index] as Seen) : [],
      sound: values.length,
      kept: values.filter(([key, value]) => got.seen[key] === value).length,
    };
  });
}

function compare(wanted: Seen, got: Seen): string[] {
  const sound = new Set(wanted.ran);
  return [
    ...got.ran.filter((each) => !sound.has(each)).map((each) => `ran ${each}`),
    ...Object.entries(got.seen)
      .filter(([key, value]) => !value.startsWith('!') && value !== wanted.seen[key])
      .map(([key, value]) => `${key}: ${value}, not ${wanted.seen[key]}`),
  ];
}
