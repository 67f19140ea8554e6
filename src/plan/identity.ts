/** The identity of an entry: a digest of its content. */
import { digest } from '../base/digest.ts';
import { parsePlatform } from '../base/platform.ts';
import type { LockNode } from './graph.ts';
import type { Plan, SharedPackage } from './plan.ts';
import { isPlatformBound, select } from './platform.ts';

/** One package of a closure, as npm's lockfile names it. */
export interface ClosurePackage {
  /** Below the entry, with slashes: `node_modules/axios/node_modules/form-data`. */
  path: string;
  name: string;
  version: string;
  integrity?: string;
}

/** The content of an entry; entries with equal contents are the same. */
export interface EntryContent {
  closure: ClosurePackage[];
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Packages of the closure whose install scripts run. */
  scripts: string[];
}

/**
 * The content as text. Contains neither the name of the feature nor core's versions of shared packages:
 * images whose cores differ in those use one entry.
 */
function canonicalize({ closure, shared, private: privateNames, scripts }: EntryContent): string {
  const content = {
    closure: closure
      .map(({ integrity, name, path, version }) => ({ integrity, name, path, version }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    format: 1,
    private: [...privateNames].sort(),
    scripts: [...scripts].sort(),
    shared: Object.fromEntries(
      Object.entries(shared)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { ranges }]) => [name, [...ranges].sort()]),
    ),
  };
  return JSON.stringify(content);
}

/** The id of an entry: 32 hex digits. */
export const identify = (content: EntryContent): string =>
  digest(canonicalize(content)).slice(0, 32);

/**
 * The id of a planned entry on a platform. Includes packages that the running Node skips: a lock is
 * made without knowledge of that Node.
 */
export function identifyPlan(plan: Plan, platform: string, scripts: string[]): string {
  return identify({ ...plan, closure: listClosure(plan, platform), scripts });
}

/** The packages of a plan on a platform, whatever Node runs. */
export function listClosure(plan: Plan, platform: string): ClosurePackage[] {
  const { nodes } = select(plan, parsePlatform(platform) ?? { os: platform, cpu: '' });
  return nodes.map(describePackage);
}

/** The ids of a plan by platform; only `any` when no package depends on the platform. */
export const identifyAll = (
  plan: Plan,
  platforms: string[],
  scripts: string[],
): Record<string, string> =>
  Object.fromEntries(
    (isPlatformBound(plan) ? platforms : ['any']).map((platform) => [
      platform,
      identifyPlan(plan, platform, scripts),
    ]),
  );

/** A package as a manifest names it. */
export const describePackage = ({ path, name, version, integrity }: LockNode): ClosurePackage => ({
  path,
  name,
  version,
  ...(integrity !== undefined && { integrity }),
});
