/** Plans the closure of a feature, from its lock or with npm, and fetches it into staging. */
import { findBlockedRefusal } from '../app/blocked.ts';
import { readInventory } from '../app/inventory.ts';
import { planLocked } from '../app/locked-plan.ts';
import { type Lookup, refreshLookup } from '../app/lookup.ts';
import type { Sidecar } from '../app/pin.ts';
import { findPlatformRefusal, selectForPlatform } from '../app/unfit.ts';
import { readAbi } from '../base/abi.ts';
import { AnnexError } from '../base/error.ts';
import { platformOf } from '../base/platform.ts';
import type { LockNode } from '../plan/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { readNpmSettings } from '../registry/npm-settings.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { DirHandle } from '../store/directory.ts';
import type { Kept } from '../store/kept.ts';
import { tryRemoveIn } from '../store/tree.ts';
import { checkDeclaredPackages, checkLockedFiles, listUnshareable } from './check.ts';
import { type FetchedPackages, fetchPackages } from './fetch-packages.ts';
import type { Progress } from './progress.ts';
import { findCutoff, resolvePlan } from './resolve.ts';

/** A staging directory. */
export interface Staging {
  /** Its real path, for npm and for what this process runs in it. */
  path: string;
  /** Its open handle, for what this process writes. */
  held: DirHandle;
}

/** A feature to install. */
export interface ClosureJob {
  lookup: Lookup;
  signal: AbortSignal;
  /** End of the time limit, ms of the monotonic clock. */
  deadline: number;
  progress: Progress;
  /** The tarballs of earlier tries. */
  kept: Kept;
}

interface PlannedClosure {
  plan: Plan;
  /** The packages for this platform, by path, parents first. */
  nodes: LockNode[];
  /** The sidecar of the lock, if the feature is locked. */
  sidecar?: Sidecar;
}

/** A closure in staging. */
export interface Closure extends PlannedClosure {
  fetched: FetchedPackages;
}

/**
 * Plans and fetches. Repeats both while the `imports` of a package target a shared name, which is then
 * not shared.
 *
 * @throws AnnexError, errors of the file system, and the signal's reason
 */
export async function fetchClosure(job: ClosureJob, staging: Staging): Promise<Closure> {
  const { lookup, signal, deadline, progress, kept } = job;
  const { settings, feature } = lookup;
  const unshared: string[] = [];
  for (;;) {
    const planned = await planClosure(job, staging, unshared);
    const { plan, nodes, sidecar } = planned;
    const fetched = await fetchPackages({
      settings,
      nodes,
      dir: staging.path,
      heldDir: staging.held.at(),
      signal,
      deadline,
      progress,
      // One tarball is no progress to keep.
      ...(nodes.length > 1 && { kept }),
      ...(sidecar && { records: sidecar.packages }),
    });
    if (sidecar === undefined) checkDeclaredPackages(feature, staging.path, fetched.listings);
    else checkLockedFiles(sidecar, fetched.listings);
    const more = listUnshareable(staging.path, nodes, Object.keys(plan.shared));
    if (more.length === 0) return { ...planned, fetched };
    unshared.push(...more);
    tryRemoveIn(staging.held, 'node_modules');
  }
}

/** Plans from the lock, or else with npm; rejects what cannot be installed on this platform. */
async function planClosure(
  job: ClosureJob,
  staging: Staging,
  unshared: string[],
): Promise<PlannedClosure> {
  const { lookup } = job;
  const { pin } = lookup.readLock();
  const plan = await (pin === undefined
    ? resolveNow(job, staging, unshared)
    : planLocked(lookup, pin));
  const planned = { plan, ...(pin && { sidecar: pin.sidecar }) };
  const platform = platformOf(readAbi());
  const selection = selectForPlatform(plan, platform);
  const { nodes } = selection;
  // Resolving can have taken minutes.
  const refusal =
    findPlatformRefusal(planned, selection, platform) ??
    findBlockedRefusal(refreshLookup(lookup), nodes);
  if (refusal !== undefined) throw new AnnexError(refusal);
  return { ...planned, nodes };
}

async function resolveNow(
  { lookup: { settings, feature }, signal }: ClosureJob,
  staging: Staging,
  unshared: string[],
): Promise<Plan> {
  const { core } = settings;
  const npm = readNpmSettings(core.root, readInstallerEnv(settings));
  const resolved = await resolvePlan({
    settings,
    feature,
    inventory: readInventory(core.realRoot),
    dir: staging.path,
    signal,
    before: findCutoff(npm),
    unshared,
  });
  return resolved.plan;
}
