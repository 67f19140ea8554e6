/** A core with two features and a store whose entries have ages. */
import { utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type CliWorld, openCli } from './cli.ts';
import type { NodeUnderTest } from './nodes.ts';
import type { RunOptions, SandboxOptions } from './sandbox.ts';

export const HOUR = 60 * 60_000;
export const DAY = 24 * HOUR;
export const features = { alpha: '^1.0.0', beta: '^1.0.0' };

/** Sets the time at which an entry was published, days ago. */
export function publish(entry: string, days: number): string {
  const at = (Date.now() - days * DAY) / 1000;
  utimesSync(join(entry, 'annex-entry.json'), at, at);
  return entry;
}

/** Sets the time at which an entry was retired, hours ago. */
export function setRetired(
  { sandbox }: Pick<CliWorld, 'sandbox'>,
  entry: string,
  hours: number,
): void {
  const mark = `${basename(dirname(entry))}.${basename(entry)}`;
  const at = (Date.now() - hours * HOUR) / 1000;
  utimesSync(join(sandbox.store, 'v1', 'retired', mark), at, at);
}

export interface Pruned {
  store: string;
  isDryRun: boolean;
  entries: { entry: string; feature: string; outcome: string; why: string; bytes: number }[];
}

export async function open(node: NodeUnderTest, options?: SandboxOptions) {
  const world = await openCli(node, options);
  world.sandbox.setCore({ features });
  const prune = async (args: string[] = [], options?: RunOptions) => {
    const ended = await world.annex(['prune', '--json', ...args], options);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    return JSON.parse(ended.stdout) as Pruned;
  };
  /** Outcome of each entry. */
  const outcomes = ({ entries }: Pruned): Record<string, string> =>
    Object.fromEntries(entries.map(({ entry, outcome }) => [entry, outcome]));
  /** With the range that starts at its version. */
  const plant: CliWorld['plant'] = (name, version, rest) =>
    world.plant(name, version, { specs: { [name]: `^${version}` }, ...rest });
  return { ...world, plant, prune, outcomes };
}
