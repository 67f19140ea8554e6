/** Decides whether a plan can be installed on the platform of this process. */
import { isStrong, readDigests } from '../base/digest.ts';
import { parsePlatform } from '../base/platform.ts';
import { satisfies } from '../base/semver.ts';
import type { LockNode } from '../plan/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { type Selection, select } from '../plan/platform.ts';
import { refuseWeak } from '../registry/failure.ts';
import type { Refusal } from '../types.ts';
import { pinnedId, type Sidecar } from './pin.ts';

/** The packages of a plan for the running Node. */
export function selectForPlatform(plan: Plan, name: string): Selection {
  const platform = parsePlatform(name) ?? { os: process.platform, cpu: process.arch };
  return select(plan, platform, (range) => satisfies(process.versions.node, range));
}

/** The refusal of a plan that cannot be installed on this platform. */
export function findPlatformRefusal(
  { sidecar, plan }: { sidecar?: Sidecar; plan: Plan },
  { unsupported, nodes }: Selection,
  platform: string,
): Refusal | undefined {
  if (unsupported !== undefined) {
    const { name, version, os, cpu, libc } = unsupported;
    const platforms = [os, cpu, libc].flatMap((list) => list ?? []).join(' ');
    return {
      code: 'ANNEX_UNSUPPORTED_PLATFORM',
      reason: `${name} ${version} is made for ${platforms}, and this is ${platform}`,
      hint: 'use a version, or another package, that is made for this platform',
    };
  }
  if (sidecar !== undefined && pinnedId(sidecar, platform) === undefined) {
    const bound = [...plan.nodes.values()].find(({ os, cpu, libc }) => os ?? cpu ?? libc);
    return {
      code: 'ANNEX_UNSUPPORTED_PLATFORM',
      reason: `${bound?.name} is locked for ${sidecar.platforms.join(', ')}, and this is ${platform}`,
      hint: `add ${platform} to annex.platforms, and lock again: npx annex lock`,
    };
  }
  const repository = findGitRefusal(plan, nodes);
  if (repository !== undefined) return repository;
  const weak = nodes.find(
    ({ integrity, isBundled }) => !isBundled && !isStrong(readDigests(integrity)),
  );
  if (weak === undefined) return undefined;
  return refuseWeak(`${weak.name}@${weak.version}`, readDigests(weak.integrity)?.algorithm);
}

/** The refusal of a package from a git repository: what is built from it has no digest to lock. */
export function findGitRefusal({ edges }: Plan, nodes: Iterable<LockNode>): Refusal | undefined {
  for (const { path, name, version, resolved = '' } of nodes) {
    if (!/^git(?:\+|:|@)/.test(resolved)) continue;
    const from = edges.find(({ to }) => to === path)?.from ?? '';
    const dependent = from.slice(from.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return {
      code: 'ANNEX_INSTALL_FAILED',
      reason: `${dependent} depends on ${name} ${version} from a git repository, and annex only installs tarballs of registries`,
      hint: `use a version of ${dependent} whose dependencies are all published`,
    };
  }
  return undefined;
}
