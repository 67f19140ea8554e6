/** Resolves a feature for its lock, together with what the shared packages of core depend on. */
import { AnnexError } from '../base/error.ts';
import {
  findCutoff,
  type NpmLock,
  planResolved,
  type ResolvedPlan,
  type ResolveJob,
  rejectConflicts,
  resolvePlan,
  runResolution,
} from '../install/resolve.ts';
import { composeProject } from '../plan/project.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';

/**
 * Prefers the versions that the application is developed with. They can be too recent, or not fit
 * the rest: then the declared ranges decide.
 *
 * @param exact name to preferred version
 * @throws AnnexError when npm fails or the plan has conflicts
 */
export async function resolveForLock(
  exact: Record<string, string>,
  job: ResolveJob,
  npm: NpmSettings,
): Promise<ResolvedPlan> {
  if (Object.keys(exact).length > 0) {
    try {
      return await resolveProject({ ...job, exact }, npm);
    } catch (error) {
      if (!(error instanceof AnnexError) || job.signal.aborted) throw error;
    }
  }
  return resolveProject(job, npm);
}

/**
 * Resolves a second time with core's versions as dependencies, so that npm ci and npm audit find the
 * lock complete. Any age is accepted of those: core ships them already. A shared package that is in no
 * registry is locked without its dependencies.
 */
async function resolveProject(job: ResolveJob, npm: NpmSettings): Promise<ResolvedPlan> {
  const first = await resolvePlan(job);
  const { nodes, shared } = first.plan;
  if (Object.keys(shared).length === 0) return first;
  const seed = Object.entries(first.packages).filter(([path]) => nodes.has(path));
  const locked = { ...job.locked, ...Object.fromEntries(seed) };
  const { manifest } = composeProject(first.plan, first.packages, job.feature);
  // Tomorrow's date: with no date, npm's setting would still reject recent versions.
  const before = npm.hasReleaseAge ? findCutoff(npm, -1) : undefined;
  let lock: NpmLock;
  try {
    lock = await runResolution({ ...job, before }, manifest.dependencies, locked);
  } catch (error) {
    if (error instanceof AnnexError && UNPUBLISHED.test(error.refusal.reason)) return first;
    throw error;
  }
  const plan = planResolved(job, lock);
  rejectConflicts(plan);
  return { plan, packages: lock.packages };
}

/** npm's codes for a package or a version that no registry has. */
const UNPUBLISHED = /\b(E404|ETARGET)\b/;
