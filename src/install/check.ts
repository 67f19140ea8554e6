/** Checks that the packages on disk are those of the plan. */
import { join } from 'node:path';
import type { Sidecar } from '../app/pin.ts';
import { digest } from '../base/digest.ts';
import { AnnexError } from '../base/error.ts';
import { readPackage } from '../base/package-json.ts';
import { satisfies } from '../base/semver.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import type { LockNode } from '../plan/graph.ts';
import { refuseInstall, refuseIntegrity } from '../registry/failure.ts';
import type { Feature } from '../settings/feature.ts';
import type { Listings } from '../store/listing.ts';

/**
 * Compares the files of each package with the locked listing.
 *
 * @throws AnnexError that names the first package whose files differ
 */
export function checkLockedFiles(sidecar: Sidecar, listings: Listings): void {
  for (const [path, listing] of Object.entries(listings)) {
    const [locked = 'none', actual] = [sidecar.packages[path]?.listing, digest(listing)];
    if (locked === actual) continue;
    const [wanted, got] = [locked, actual].map((text) => text.slice(0, 12));
    throw new AnnexError(
      refuseIntegrity(`the files of ${path} are not the locked ones: ${got}, not ${wanted}`),
    );
  }
}

/**
 * Compares the package.json of each declared package with its declaration: without a lock, nothing
 * else says that a tarball holds the package that the registry served it as.
 *
 * @throws AnnexError that names the first package that differs
 */
export function checkDeclaredPackages(
  { packages }: Feature,
  staging: string,
  listings: Listings,
): void {
  for (const [name, range] of Object.entries(packages)) {
    const path = join('node_modules', name);
    if (listings[path] === undefined) continue;
    const problem = describeMismatch(name, range, readPackage(join(staging, path)));
    if (problem !== undefined) throw new AnnexError(refuseInstall(problem));
  }
}

function describeMismatch(
  name: string,
  range: string,
  manifest: Record<string, unknown> | undefined,
): string | undefined {
  if (manifest === undefined) return `${name} has no package.json that can be read`;
  if (manifest.name !== name) {
    return `the package.json in the tarball of ${name} has the name ${String(manifest.name)}`;
  }
  const { version } = manifest;
  if (typeof version === 'string' && satisfies(version, range)) return undefined;
  return `the package.json in the tarball of ${name} has the version ${String(version)}, which is not in ${range}`;
}

/**
 * Lists the shared names that the `imports` field of some package targets. Node resolves those past
 * every hook, so they have to be in the entry.
 */
export function listUnshareable(staging: string, nodes: LockNode[], shared: string[]): string[] {
  if (shared.length === 0) return [];
  const targets = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === 'string') targets.add(parseBareSpecifier(value)?.name ?? '');
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  for (const { path } of nodes) collect(readPackage(join(staging, path))?.imports);
  return shared.filter((name) => targets.has(name));
}
