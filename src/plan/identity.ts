/** The content of an entry as one word. */
import { digest } from '../base/digest.ts';
import { parsePlatform } from '../base/platform.ts';
import { type ClosurePackage, type Content, canonicalize } from './content.ts';
import type { LockNode } from './graph.ts';
import type { Plan } from './plan.ts';
import { isPlatformBound, select } from './platform.ts';

/** 32 hex digits: the id of an entry. */
export const identify = (content: Content): string => digest(canonicalize(content)).slice(0, 32);

/**
 * The id of a planned entry on a platform. Packages that are left out because of the running Node
 * have no part in it: whoever locks does not know that.
 */
export function identifyPlan(plan: Plan, platform: string, scripts: string[]): string {
  return identify({ ...plan, closure: listClosure(plan, platform), scripts });
}

/** The packages of a plan on a platform, whatever Node runs. */
export function listClosure(plan: Plan, platform: string): ClosurePackage[] {
  const { nodes } = select(plan, parsePlatform(platform) ?? { os: platform, cpu: '' });
  return nodes.map(describePackage);
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
