/** A sandbox with a separate registry, both removed with the test, for concurrent tests. */
import { writeImporter } from './importer.ts';
import { type PackageFixture, type Registry, startRegistry } from './registry.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';

export interface World {
  sandbox: Sandbox;
  registry: Registry;
}

/** Options of a world. */
export interface WorldOptions extends Omit<SandboxOptions, 'registry'> {
  /** Packages of the registry. */
  packages: readonly PackageFixture[];
  /** The `annex` key of the core. */
  annex: object;
}

/**
 * Opens a world with the program of `importIn` in it.
 * @example
 * test.concurrent('...', async () => {
 *   const { sandbox, registry } = await openWorld({ packages, annex: { features } });
 * });
 */
export async function openWorld({ packages, annex, ...options }: WorldOptions): Promise<World> {
  const registry = await startRegistry([...packages]);
  const sandbox = await createSandbox({ registry, ...options });
  sandbox.setCore(annex);
  writeImporter(sandbox);
  return { sandbox, registry };
}
