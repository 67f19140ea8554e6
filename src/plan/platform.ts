/** Selects the packages of a planned closure for a platform, by npm's rules. */
import { type Platform, parsePlatform } from '../base/platform.ts';
import type { LockNode } from './graph.ts';
import type { Plan } from './plan.ts';

/** The packages for one platform. */
export interface Selection {
  /** By path, parents first. */
  nodes: LockNode[];
  /** A required package for other platforms. */
  unsupported?: LockNode;
}

/**
 * Selects the packages for a platform: every required package, and each optional one whose requirements
 * all support the platform. Not package by package: a fallback for other platforms supports all of them,
 * and is optional only through a package that does not.
 *
 * @param fitsEngine whether the running Node is in an `engines` range; omitted while locking, when the
 *   Node that will run is unknown
 * @see https://github.com/npm/npm-install-checks/blob/v8.0.0/lib/index.js
 */
export function select(
  { nodes, edges }: Plan,
  platform: Platform,
  fitsEngine: (range: string) => boolean = () => true,
): Selection {
  const below = new Map<string, { to: string; isOptional: boolean }[]>();
  for (const { from, to = '', kind } of edges) {
    // An optional peer neither adds nor excludes packages.
    if (kind === 'optional peer') continue;
    const list = below.get(from) ?? [];
    list.push({ to, isOptional: kind === 'optional' });
    below.set(from, list);
  }
  const reach = (from: string, mayEnter: (to: string, isOptional: boolean) => boolean) => {
    const reached = new Set<string>();
    const queue = [from];
    for (const path of queue) {
      for (const { to, isOptional } of below.get(path) ?? []) {
        if (reached.has(to) || !mayEnter(to, isOptional)) continue;
        reached.add(to);
        queue.push(to);
      }
    }
    return reached;
  };
  const isFit = (path: string): boolean => fits(nodes.get(path) as LockNode, platform);
  const isRunnable = (path: string): boolean => fitsEngine(nodes.get(path)?.engine ?? '*');

  const needed = reach('', (_, isOptional) => !isOptional);
  const unfit = [...needed].sort().find((path) => !isFit(path));
  const mayEnter = (to: string, isOptional: boolean): boolean => {
    if (!isOptional) return true;
    const all = [to, ...reach(to, (_, isNext) => !isNext)].filter((path) => !needed.has(path));
    if (!all.every(isFit)) return false;
    return all.every(isRunnable);
  };
  const selected = reach('', mayEnter);
  const list = (paths: Iterable<string>): LockNode[] =>
    [...paths].sort().map((path) => nodes.get(path) as LockNode);
  const unsupported = unfit === undefined ? undefined : nodes.get(unfit);
  return { nodes: list(selected), ...(unsupported && { unsupported }) };
}

/** Selects the packages for any of several platforms, by path. */
export function selectAll(plan: Plan, platforms: string[]): Map<string, LockNode> {
  const all = new Map<string, LockNode>();
  for (const name of platforms) {
    const { nodes } = select(plan, parsePlatform(name) ?? { os: name, cpu: '' });
    for (const node of nodes) all.set(node.path, node);
  }
  return all;
}

/** Whether a package supports only some platforms. */
export const isPlatformBound = ({ nodes }: Plan): boolean =>
  [...nodes.values()].some(({ os, cpu, libc }) => (os ?? cpu ?? libc) !== undefined);

function fits({ os, cpu, libc }: LockNode, platform: Platform): boolean {
  return (
    matches(platform.os, os) &&
    matches(platform.cpu, cpu) &&
    (libc === undefined || (platform.libc !== undefined && matches(platform.libc, libc)))
  );
}

function matches(value: string, list: string[] | undefined): boolean {
  if (list === undefined || (list.length === 1 && list[0] === 'any')) return true;
  const denied = list.filter((item) => item.startsWith('!'));
  if (denied.includes(`!${value}`)) return false;
  return denied.length === list.length || list.includes(value);
}
