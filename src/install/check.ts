/** Whether what was brought is what was planned. */
import { join } from 'node:path';
import { readPackage } from '../app/core.ts';
import type { Sidecar } from '../app/pin.ts';
import { digest } from '../base/digest.ts';
import { satisfies } from '../base/semver.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import type { LockNode } from '../plan/graph.ts';
import { refuseInstall, refuseIntegrity } from '../registry/package-failure.ts';
import type { Feature } from '../settings/feature.ts';
import type { Listings } from '../store/listing.ts';
import type { Refusal } from '../types.ts';
import type { Unpacked } from './unpack.ts';

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
    if (typeof version !== 'string' || !satisfies(version, range)) {
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
