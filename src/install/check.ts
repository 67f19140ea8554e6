/** Whether a plan can be installed here, and whether what was brought is what was planned. */
import { join } from 'node:path';
import { readPackage } from '../core.ts';
import type { LockNode } from '../plan/graph.ts';
import type { Plan } from '../plan/plan.ts';
import type { Selection } from '../plan/platform.ts';
import { parseBareSpecifier } from '../policy/specifier.ts';
import { isInRange } from '../ranges.ts';
import { refuseWeak } from '../registry/failure.ts';
import { isStrong, readDigests } from '../registry/integrity.ts';
import { digest, pinnedId, type Sidecar } from '../sidecar.ts';
import type { Feature, Listings, Refusal } from '../types.ts';
import { refuseInstall, refuseIntegrity } from './package-failure.ts';
import type { Prepared } from './prepare.ts';
import type { Unpacked } from './unpack.ts';

/** Why a plan cannot be installed on this platform; undefined when it can. */
export function findUnfit(
  { sidecar, plan }: Prepared,
  { unsupported, nodes }: Selection,
  platform: string,
): Refusal | undefined {
  if (unsupported !== undefined) {
    const { name, version, os, cpu, libc } = unsupported;
    const made = [os, cpu, libc].flatMap((list) => list ?? []).join(' ');
    return {
      code: 'ANNEX_UNSUPPORTED_PLATFORM',
      reason: `${name} ${version} is made for ${made}, and this is ${platform}`,
      hint: 'use a version, or another package, that is made for this platform',
    };
  }
  if (sidecar !== undefined && pinnedId(sidecar, platform) === undefined) {
    const bound = [...plan.nodes.values()].find(({ os, cpu, libc }) => os ?? cpu ?? libc);
    return {
      code: 'ANNEX_UNSUPPORTED_PLATFORM',
      reason: `${bound?.name} is locked for ${sidecar.platforms.join(', ')}, and this is ${platform}`,
      hint: `whoever builds the application can add ${platform} to annex.platforms and lock anew`,
    };
  }
  const repository = findRepository(plan, nodes);
  if (repository !== undefined) return repository;
  const weak = nodes.find(
    ({ integrity, isBundled }) => !isBundled && !isStrong(readDigests(integrity)),
  );
  if (weak === undefined) return undefined;
  return refuseWeak(`${weak.name}@${weak.version}`, readDigests(weak.integrity)?.algorithm);
}

/** A package that comes from a git repository: what is built from it has no digest that could be locked. */
export function findRepository({ edges }: Plan, nodes: Iterable<LockNode>): Refusal | undefined {
  for (const { path, name, version, resolved = '' } of nodes) {
    if (!/^git(?:\+|:|@)/.test(resolved)) continue;
    const from = edges.find(({ to }) => to === path)?.from ?? '';
    const asking = from.slice(from.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return {
      code: 'ANNEX_INSTALL_FAILED',
      reason: `${asking} depends on ${name} ${version} from a git repository, and annex installs tarballs of registries alone`,
      hint: `use a version of ${asking} whose dependencies are all published`,
    };
  }
  return undefined;
}

/** What was brought and is not what the lock says; undefined when all is. */
export function findOtherFiles(sidecar: Sidecar, unpacked: Unpacked): Refusal | undefined {
  for (const [path, listing] of Object.entries(unpacked.listings)) {
    const [wanted = 'none', got] = [sidecar.packages[path]?.listing, digest(listing)];
    if (wanted !== got) {
      const [short, other] = [wanted, got].map((text) => text.slice(0, 12));
      return refuseIntegrity(
        `the files of ${path} are not the locked ones: ${other}, not ${short}`,
      );
    }
  }
  return undefined;
}

/** A declared package that is not what it came as; undefined when all are. */
export function findImpostor(
  { packages }: Feature,
  staging: string,
  listings: Listings,
): Refusal | undefined {
  for (const [name, range] of Object.entries(packages)) {
    const path = join('node_modules', name);
    if (listings[path] === undefined) continue;
    const found = readPackage(join(staging, path));
    if (found === undefined) return refuseInstall(`${name} has no package.json that can be read`);
    if (found.name !== name) {
      return refuseInstall(`what came as ${name} calls itself ${String(found.name)}`);
    }
    const { version } = found;
    if (typeof version !== 'string' || !isInRange(version, range)) {
      const what = `what came as ${name} says it is ${String(version)}, which is not in ${range}`;
      return refuseInstall(what);
    }
  }
  return undefined;
}

/** Shared names that some package's `imports` leads to: Node looks those up past every hook. */
export function findUnshared(staging: string, nodes: LockNode[], shared: string[]): string[] {
  if (shared.length === 0) return [];
  const targets = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === 'string') targets.add(parseBareSpecifier(value)?.name ?? '');
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  for (const { path } of nodes) collect(readPackage(join(staging, path))?.imports);
  return shared.filter((name) => targets.has(name));
}
