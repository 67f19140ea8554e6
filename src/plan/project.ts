/** A planned closure as an npm project: a package.json and a package-lock.json. */
import type { Feature } from '../settings/feature.ts';
import type { Plan } from './plan.ts';

/** The `packages` of a package-lock, without its root. */
export type LockedPackages = Record<string, object>;

/** Two files, parsed. */
export interface Project {
  manifest: { name: string; version: string; private: true; dependencies: Record<string, string> };
  lock: {
    name: string;
    version: string;
    lockfileVersion: 3;
    requires: true;
    packages: Record<string, object>;
  };
}

/**
 * What is taken from core is a dependency of the project at core's exact version, so that whatever
 * reads it sees what is used.
 *
 * @param packages as npm resolved them
 * @param feature named in the project, since an SBOM names what it is of
 */
export function composeProject(
  { shared, nodes }: Pick<Plan, 'shared'> & { nodes: ReadonlyMap<string, unknown> },
  packages: LockedPackages,
  { packages: specs, slug }: Pick<Feature, 'packages' | 'slug'>,
): Project {
  const named = nameProject(slug);
  const taken = Object.entries(shared).map(([name, { version }]) => [name, version] as const);
  const dependencies = sortKeys({ ...specs, ...Object.fromEntries(taken) });
  const paths = [...nodes.keys(), ...taken.map(([name]) => `node_modules/${name}`)];
  const kept = paths.map((path) => [path, packages[path] ?? {}] as const);
  return {
    manifest: { ...named, private: true, dependencies },
    lock: {
      ...named,
      lockfileVersion: 3,
      requires: true,
      packages: { '': { ...named, dependencies }, ...sortKeys(Object.fromEntries(kept)) },
    },
  };
}

/** What the project of a feature is called. No registry has it. */
export const nameProject = (slug: string): { name: string; version: string } => ({
  name: `annex-${slug}`,
  version: '0.0.0',
});

/** Keys in the order of their code units. */
export const sortKeys = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
