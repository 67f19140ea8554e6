/** Locks a feature: resolves it, fetches every package for every platform, and composes the lock. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { readInventory } from '../app/inventory.ts';
import { type Lookup, refreshLookup } from '../app/lookup.ts';
import { LOCK_FILES, lockRoot, type Sidecar } from '../app/pin.ts';
import { findGitRefusal } from '../app/unfit.ts';
import { AnnexError } from '../base/error.ts';
import { type Platform, parsePlatform } from '../base/platform.ts';
import { listUnshareable } from '../install/check.ts';
import { showProgress } from '../install/display.ts';
import { fetchPackages } from '../install/fetch-packages.ts';
import { createProgress, type Progress } from '../install/progress.ts';
import { findCutoff, type ResolveJob } from '../install/resolve.ts';
import type { LockNode } from '../plan/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { select, selectAll } from '../plan/platform.ts';
import { readNpmSettings } from '../registry/npm-settings.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import { withTemporary } from '../store/temporary.ts';
import type { Refusal } from '../types.ts';
import { composeLock, toJsonFile } from './compose.ts';
import { diffLocks, type LockDiff, type LockSide } from './diff.ts';
import { listPreferred } from './drift.ts';
import { findEditRefusal } from './edited.ts';
import { addLicenses } from './license.ts';
import { addMade } from './made.ts';
import { readPackages, readPlaces, readPrevious } from './previous.ts';
import type { Replacement } from './replace.ts';
import { resolveForLock } from './resolve.ts';
import { keepSignatures } from './signatures.ts';

/** A feature to lock. */
export interface LockJob {
  lookup: Lookup;
  signal: AbortSignal;
  /** Minimum age of a version in days; undefined for npm's setting, or else one. */
  minAge: number | undefined;
  /** Whether to take the newest versions; by default those of the previous lock stay if they still fit. */
  isUpdate?: boolean;
}

/** A lock that is not written yet. */
export interface LockedFeature {
  sidecar: Sidecar;
  dir: string;
  /** Its files, in the order in which they are replaced. */
  files: Replacement[];
  /** Number of packages, for all declared platforms. */
  packages: number;
  /** What differs from the previous lock, if that is known. */
  diff?: LockDiff;
}

/**
 * Composes the lock of a feature without writing it.
 *
 * @throws AnnexError, errors of the file system, and the signal's reason
 */
export async function lockFeature(job: LockJob): Promise<LockedFeature> {
  const { settings, feature } = job.lookup;
  const progress = createProgress();
  const hide = showProgress(feature.name, progress, settings.log);
  try {
    return await withTemporary((temporary) => lockIn(temporary, job, progress));
  } finally {
    hide();
  }
}

async function lockIn(temporary: string, job: LockJob, progress: Progress): Promise<LockedFeature> {
  const { lookup, signal } = job;
  const { settings, feature } = lookup;
  const { core, declaration } = settings;
  const { platforms } = declaration;
  const npm = readNpmSettings(core.root, readInstallerEnv(settings));
  const dir = join(lockRoot(core.root), feature.slug);
  const places = readPlaces(dir);
  const previous = readPrevious(dir);
  const refusal = job.isUpdate === true ? undefined : findEditRefusal(previous, dir, feature);
  if (refusal !== undefined) throw new AnnexError(refusal);
  const exact = listPreferred(lookup);
  const unshared: string[] = [];
  const resolveJob: ResolveJob = {
    settings,
    feature,
    inventory: readInventory(core.realRoot),
    dir: temporary,
    signal,
    before: findCutoff(npm, job.minAge),
    unshared,
    locked: job.isUpdate === true ? {} : readPackages(dir, lookup.listBlocked()),
  };
  for (;;) {
    const resolved = await resolveForLock(exact, resolveJob, npm);
    const nodes = selectLockable(resolved.plan, job);
    const shared = Object.keys(resolved.plan.shared);
    const unpacked = mkdtempSync(join(temporary, 'packages-'));
    const fetched = await fetchPackages({
      settings,
      nodes,
      dir: unpacked,
      signal,
      progress,
      records: places,
      isLocking: true,
    });
    const more = listUnshareable(unpacked, nodes, shared);
    if (more.length === 0) {
      const whole = addLicenses(resolved, unpacked);
      const parts = { feature, platforms, resolved: whole, nodes, fetched, npm, places, unshared };
      const { sidecar: composed, project } = composeLock(parts);
      const content = keepSignatures(composed, dir, resolved.plan.nodes);
      const made = { settings, dir: temporary, signal };
      const sidecar = await addMade(content, join(dir, 'annex.json'), made);
      const texts = { ...project, 'annex.json': toJsonFile(sidecar) };
      const files = LOCK_FILES.map((name) => ({ path: join(dir, name), text: texts[name] }));
      const before = previous?.isEdited === false ? previous : undefined;
      const { packages } = JSON.parse(texts['package-lock.json']) as LockSide;
      const after = { shared: sidecar.shared, packages, places: sidecar.packages };
      const diff = before && diffLocks(before, after, Object.keys(feature.packages));
      return { sidecar, dir, files, packages: nodes.length, ...(diff && { diff }) };
    }
    unshared.push(...more);
  }
}

/**
 * Selects the packages for the declared platforms.
 *
 * @throws AnnexError for a package that cannot be locked
 */
function selectLockable(plan: Plan, { lookup }: LockJob): LockNode[] {
  const { platforms } = lookup.settings.declaration;
  const unsupported = findUnsupported(plan, platforms);
  if (unsupported !== undefined) throw new AnnexError(unsupported);
  const nodes = [...selectAll(plan, platforms).values()];
  const refusal =
    findBlockedRefusal(refreshLookup(lookup), nodes, { isLocking: true }) ??
    findGitRefusal(plan, nodes);
  if (refusal !== undefined) throw new AnnexError(refusal);
  return nodes;
}

function findUnsupported(plan: Plan, platforms: string[]): Refusal | undefined {
  for (const name of platforms) {
    const { unsupported } = select(plan, parsePlatform(name) as Platform);
    if (unsupported === undefined) continue;
    return {
      code: 'ANNEX_UNSUPPORTED_PLATFORM',
      reason: `${unsupported.name} ${unsupported.version} is not made for ${name}`,
      hint: 'take that platform out of annex.platforms, or use another package',
    };
  }
  return undefined;
}
