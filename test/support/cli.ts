/** A sandbox with annex's command line under one Node, a store and a read-only layer behind it. */
import { delimiter, join } from 'node:path';
import type { EntryOptions } from './entry.ts';
import { esmPackage } from './fixtures.ts';
import type { NodeUnderTest } from './nodes.ts';
import type { RunResult } from './process.ts';
import { createSandbox, type RunOptions, type Sandbox, type SandboxOptions } from './sandbox.ts';

/** Sandbox, layer, and a way to run commands. */
export interface CliWorld {
  sandbox: Sandbox;
  /** The layer's directory, `root/baked`. */
  layer: string;
  /** Runs a command with the store and the layer set; stated variables count on top. */
  annex(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Plants the feature NAME, by default in the store. Returns the entry's directory. */
  plant(
    name: string,
    version: string,
    options?: Partial<EntryOptions> & { store?: string },
  ): string;
}

/** Opens one for the running test, and removes it afterwards. */
export async function openCli(node: NodeUnderTest, options?: SandboxOptions): Promise<CliWorld> {
  const sandbox = await createSandbox(options);
  const layer = join(sandbox.root, 'baked');
  const stores = [sandbox.store, layer].join(delimiter);
  return {
    sandbox,
    layer,
    annex: (args, { env, ...rest } = {}) =>
      sandbox.annex(args, { node: node.path, ...rest, env: { ANNEX_STORE: stores, ...env } }),
    plant: (name, version, rest) =>
      sandbox.plantEntry({
        feature: name,
        packages: [esmPackage(name, version, 'planted')],
        specs: { [name]: '^1.0.0' },
        ...rest,
      }),
  };
}
