/** Planned closures as npm projects: a package.json and a package-lock.json. */
import type { Feature } from '../settings/feature.ts';
import type { Plan } from './plan.ts';

/** The `packages` of a package-lock, without its root. */
export type LockedPackages = Record<string, object>;

/** A package.json and a package-lock.json, parsed. */
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
 * Composes the project of a feature. A shared package is a dependency at core's exact version, so that
 * tools see the version in use.
 *
 * @param packages of npm's resolution
 * @param feature gives the project its name, which an SBOM shows
 */
export function composeProject(
  { shared, nodes }: Pick<Plan, 'shared'> & { nodes: ReadonlyMap<string, unknown> },
  packages: LockedPackages,
  { packages: specs, slug }: Pick<Feature, 'packages' | 'slug'>,
): Project {
  const named = nameProject(slug);
  const fromCore = Object.entries(shared).map(([name, { version }]) => [name, version] as const);
  const dependencies = sortKeys({ ...specs, ...Object.fromEntries(fromCore) });
  const paths = [...nodes.keys(), ...fromCore.map(([name]) => `node_modules/${name}`)];
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

/** Name and version of the project of a feature; no registry has it. */
export const nameProject = (slug: string): { name: string; version: string } => ({
  name: `annex-${slug}`,
  version: '0.0.0',
});

/** Sorts keys by code unit. */
export const sortKeys = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The project of one feature. */
export interface FeatureProject {
  slug: string;
  project: Project;
}

/**
 * Composes one npm project with a workspace for every feature, for commands that only read a
 * package-lock; it is never installed.
 *
 * @param whole name and version of the core
 * @returns file contents by path
 */
export function composeWorkspace(
  whole: { name: string; version: string },
  parts: FeatureProject[],
): Record<string, string> {
  const root = { ...whole, private: true, workspaces: ['features/*'] };
  const files: Record<string, string> = { 'package.json': JSON.stringify(root) };
  const packages: Record<string, object> = { '': root };
  for (const { slug, project } of parts) {
    const named = nameProject(slug);
    const dir = `features/${named.name}`;
    files[`${dir}/package.json`] = JSON.stringify({ ...project.manifest, ...named });
    for (const [path, locked] of Object.entries(project.lock.packages)) {
      packages[path === '' ? dir : `${dir}/${path}`] =
        path === '' ? { ...locked, ...named } : locked;
    }
    packages[`node_modules/${named.name}`] = { resolved: dir, link: true };
  }
  const lock = { ...whole, lockfileVersion: 3, requires: true, packages };
  return { ...files, 'package-lock.json': JSON.stringify(lock) };
}
