/** The content of an entry as one word. */
import { createHash } from 'node:crypto';
import type { ClosurePackage, SharedPackage } from '../types.ts';
import type { LockNode } from './graph.ts';
import type { Plan } from './plan.ts';
import { isPlatformBound, parsePlatform, select } from './platform.ts';

/** What makes two entries the same. */
export interface Content {
  closure: ClosurePackage[];
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Packages of the closure whose install scripts run. */
  scripts: string[];
}

/**
 * 32 hex digits: equal content, equal id, whatever the feature is called. Core's version of what is
 * shared has no part in it, so that two images whose cores differ in that use one entry.
 */
export function identify({ closure, shared, private: own, scripts }: Content): string {
  const content = {
    closure: closure
      .map(({ integrity, name, path, version }) => ({ integrity, name, path, version }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    format: 1,
    private: [...own].sort(),
    scripts: [...scripts].sort(),
    shared: Object.fromEntries(
      Object.entries(shared)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { ranges }]) => [name, [...ranges].sort()]),
    ),
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}

/**
 * The id of a planned entry on a platform. Packages that are left out because of the running Node
 * have no part in it: whoever locks does not know that.
 */
export function identifyPlan(plan: Plan, platform: string, scripts: string[]): string {
  const { nodes } = select(plan, parsePlatform(platform) ?? { os: platform, cpu: '' });
  return identify({ ...plan, closure: nodes.map(describePackage), scripts });
}

/** The ids of a plan by platform; `any` alone when they are the same on all of them. */
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
