/** Two features, their lock, and an operator file that blocks releases. */
import { join } from 'node:path';
import { beforeAll, beforeEach, expect } from 'vitest';
import { dependentPackage, esmPackage } from './fixtures.ts';
import { importIn, splitLines, writeImporter } from './importer.ts';
import { lock, node } from './lock-files.ts';
import { type PackageFixture, type Registry, startRegistry } from './registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from './sandbox.ts';

export const features = { kit: '^1.0.0', other: '^1.0.0' };
export const REASON = 'CVE-2024-39338';

export const kit = dependentPackage('kit', '1.0.0', 'kit', { low: '^1.0.0' });
export const low = esmPackage('low', '1.0.0', 'low');
export const other = esmPackage('other', '1.0.0', 'other');

export let locked: Sandbox;
beforeAll(async () => {
  const lockable = await startRegistry([kit, low, other]);
  locked = await createSandbox({ registry: lockable, node: node.path });
  locked.setCore({ features });
  await lock(locked);
  await lockable.stop();
});

export let registry: Registry;
export let sandbox: Sandbox;
export let file: string;
beforeEach(async () => {
  registry = await startRegistry([kit, low, other]);
  sandbox = await createSandbox({ registry, node: node.path });
  sandbox.setCore({ features });
  writeImporter(sandbox);
  file = join(sandbox.root, 'operator.json');
  block();
});

export const closures: Record<string, [PackageFixture, ...PackageFixture[]]> = {
  kit: [kit, low],
  other: [other],
};

/** Plants the entries of features. */
export function plant(store = sandbox.store, names = ['kit', 'other']): void {
  for (const feature of names) {
    const packages = closures[feature] ?? [other];
    sandbox.plantEntry({ store, feature, packages, specs: { [feature]: '^1.0.0' } });
  }
}

/** Writes the operator's file. */
export const block = (...blocked: unknown[]): string => sandbox.write(file, { blocked });

export const withEnv = ({ env, ...rest }: RunOptions = {}): RunOptions => ({
  ...rest,
  env: { ANNEX_STORE: sandbox.store, ANNEX_CONFIG: file, ...env },
});
export const load = async (names: string[], options?: RunOptions) =>
  (await importIn(sandbox, names, withEnv(options))).imported;
export const annex = (...args: string[]) => sandbox.annex(args, withEnv());

/** Runs a program whose body prints lines; `write` replaces the operator's file. */
export async function run(body: string, options?: RunOptions): Promise<string[]> {
  const program = sandbox.write(
    'app/run.mjs',
    `import { writeFileSync } from 'node:fs';
     import { ensure, isAvailable, status } from 'annex';
     const write = (...blocked) => writeFileSync(${JSON.stringify(file)}, JSON.stringify({ blocked }));
     const describeError = ({ cause, message }) => cause?.message ?? message;
     const load = (name) => import(name).then(({ marker }) => marker, describeError).then(console.log);
     const attempt = (name) => ensure(name).then(({ where }) => where, describeError).then(console.log);
     ${body}`,
  );
  const { stdout, stderr, code } = await sandbox.run(
    ['--import', sandbox.loader, program],
    withEnv(options),
  );
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return splitLines(stdout);
}

export const tarballs = () => registry.requests.filter((line) => line.endsWith('.tgz'));
