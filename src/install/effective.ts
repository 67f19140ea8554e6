/** What is in use of a feature, as an npm project: its entry, with core's copy where shared, or its lock. */
import { join } from 'node:path';
import { findCorePackage, readPackage } from '../core.ts';
import { selectAll } from '../plan/platform.ts';
import type { Part } from '../plan/portfolio.ts';
import { composeProject, type LockedPackages, type Project } from '../plan/project.ts';
import { readAbi } from '../runtime.ts';
import { readPin } from '../sidecar.ts';
import { findStatus } from '../status.ts';
import { findEntry } from '../store/entry.ts';
import type { Entry, Feature, Settings } from '../types.ts';
import { prepareLocked } from './prepare.ts';

/** A project, or why there is none. */
export type Effective = Part | { reason: string };

/** Finds out what a feature is made of here; never installs, never touches the network. */
export function findEffective(settings: Settings, feature: Feature): Effective {
  const { where } = findStatus(settings, feature);
  if (where === 'core' || where === 'core outside range') {
    return { reason: 'the application ships it itself: npm has it in the application’s own lock' };
  }
  const { slug } = feature;
  const { entry } = findEntry(settings, feature, readAbi());
  const pin = readPin(settings.core.root, feature);
  if (pin !== undefined && !('problem' in pin)) {
    const prepared = prepareLocked(settings, feature, pin);
    if ('code' in prepared) return { reason: prepared.reason };
    const { plan } = prepared;
    const lock = JSON.parse(pin.lock) as Project['lock'];
    const { dependencies = {} } = lock.packages[''] as Partial<Project['manifest']>;
    const { name, version } = lock;
    const project: Project = { manifest: { name, version, private: true, dependencies }, lock };
    const installed = entry?.manifest.closure.map(({ path }) => path);
    const used = new Set(installed ?? selectAll(plan, pin.sidecar.platforms).keys());
    return { slug, project: keep(project, (path) => used.has(path) || !plan.nodes.has(path)) };
  }
  if (pin !== undefined) return { reason: pin.problem };
  if (entry === undefined) return { reason: 'it is neither locked nor installed' };
  return { slug, project: readProject(settings, feature, entry) };
}

/** Packages of other platforms are in a lock, and not in use. */
function keep(project: Project, isKept: (path: string) => boolean): Project {
  const packages = Object.entries(project.lock.packages).filter(([path]) => isKept(path));
  return { ...project, lock: { ...project.lock, packages: Object.fromEntries(packages) } };
}

/** Without a lock, what stands on disk says who asks for what. */
function readProject({ core }: Settings, feature: Feature, { dir, manifest }: Entry): Project {
  const packages: LockedPackages = {};
  const { closure, shared } = manifest;
  for (const { path, name, version, integrity } of closure) {
    packages[path] = { name, version, integrity, ...pickEdges(readPackage(join(dir, path)) ?? {}) };
  }
  const now: typeof shared = {};
  for (const [name, { ranges, version }] of Object.entries(shared)) {
    now[name] = { ranges, version: findCorePackage(name, core.root)?.version ?? version };
    packages[`node_modules/${name}`] = { version: now[name].version };
  }
  const paths = new Map(closure.map(({ path }) => [path, undefined]));
  return composeProject({ shared: now, nodes: paths }, packages, feature);
}

const EDGES = ['dependencies', 'optionalDependencies', 'peerDependencies', 'peerDependenciesMeta'];

const pickEdges = (manifest: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries([...EDGES, 'license', 'os', 'cpu'].map((key) => [key, manifest[key]]));
