/** Selections of a closure for a platform, in short notation. */
import type { Platform } from '../../src/base/platform.ts';
import { satisfies } from '../../src/base/semver.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { select } from '../../src/plan/platform.ts';

export const LINUX: Platform = { os: 'linux', cpu: 'x64', libc: 'glibc' };

/** Names of packages at the top of node_modules, and paths of nested ones. */
export const listNames = (nodes: { path: string }[]): string[] =>
  nodes.map(({ path }) => path.replaceAll('node_modules/', '').replaceAll('/node', ' > node'));

/** Short names of selected packages, of those left out for this Node, and of needed ones that do not fit. */
export function choose(made: Plan, platform: Platform = LINUX, node = '22.15.0') {
  const { nodes, unsupported } = select(made, platform, (range) => satisfies(node, range));
  return { nodes: listNames(nodes), unsupported: unsupported?.name };
}
