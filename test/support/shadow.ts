/** Plants copies that must never win, in every place that can be written without access to the core. */
import { join } from 'node:path';
import type { PackageFixture } from './package.ts';
import type { Sandbox } from './sandbox.ts';

/** Prefix of the marker of every copy that must never be loaded. */
export const SHADOW = 'SHADOW';

/** A feature of core that has a valid entry with the planted names in its closure. */
const DECOY = 'decoy';

/** The most tempting copy: it is in range, and has every subpath for both import and require. */
export function shadowPackage(name: string, where: string): PackageFixture {
  const facts = { name, version: '1.9.9', marker: `${SHADOW} ${where}` };
  const lines = Object.entries(facts);
  const both = { import: './any.mjs', require: './any.cjs' };
  return {
    name,
    version: facts.version,
    files: {
      'any.mjs': lines.map(([key, value]) => `export const ${key} = '${value}';\n`).join(''),
      'any.cjs': lines.map(([key, value]) => `exports.${key} = '${value}';\n`).join(''),
    },
    manifest: { main: './any.cjs', exports: { '.': both, './*': both } },
  };
}

/** Additional files. */
export interface ShadowOptions {
  /** The name in every package.json above the entries; none by default. */
  claim?: string;
  /** Whether the store holds a valid entry of the feature too; true by default. */
  hasEntry?: boolean;
}

/**
 * Plants a copy of each name: in the store, on the volume above the entries, in the home, in an
 * otherwise valid entry of another feature, and in `elsewhere`, a working directory to run in.
 *
 * @param names each is also the name of its feature
 */
export function plantShadows(
  sandbox: Sandbox,
  names: readonly string[],
  { claim, hasEntry = true }: ShadowOptions = {},
): void {
  const { store, home } = sandbox;
  const above = [join(store, 'v1', 'any'), join(store, 'v1'), store, join(store, '..')];
  const places = [...above, home, join(sandbox.root, 'elsewhere')];
  for (const place of places) {
    for (const name of names) {
      sandbox.addPackage(join(place, 'node_modules'), shadowPackage(name, place));
    }
    if (claim === undefined) continue;
    const { version, manifest, files = {} } = shadowPackage(claim, place);
    sandbox.write(join(place, 'package.json'), { name: claim, version, ...manifest });
    for (const [path, data] of Object.entries(files)) sandbox.write(join(place, path), `${data}`);
  }
  const closure = names.map((name) => shadowPackage(name, 'entry of another feature'));
  sandbox.plantEntry({
    feature: DECOY,
    packages: [shadowPackage(DECOY, 'decoy'), ...closure],
    specs: { [DECOY]: '*' },
  });
  if (!hasEntry) return;
  for (const name of names) {
    sandbox.plantEntry({
      feature: name,
      packages: [shadowPackage(name, 'entry of the feature')],
      specs: { [name]: '^1.0.0' },
    });
  }
}

/** A declaration of those features, and of the decoy. */
export function declare(names: readonly string[]): Record<string, string> {
  return { [DECOY]: '*', ...Object.fromEntries(names.map((name) => [name, '^1.0.0'])) };
}
