/** Looks up the facts that the decision table asks for, one at a time. */
import { dirname, join } from 'node:path';
import { findCorePackage, findGlobalOwners, findOwner } from '../app/core.ts';
import type { Lookup } from '../app/lookup.ts';
import type { Feature } from '../settings/feature.ts';
import { findInstallRefusal } from '../status/refusals.ts';
import type { Damaged, Entry } from '../store/entry.ts';
import type { Refusal } from '../types.ts';
import type { Asked, Evidence } from './decide.ts';
import { listCoreFolders } from './global-folders.ts';
import type { Locator } from './locator.ts';
import type { Request } from './request.ts';

/** The facts that lead to a decision, collected as the decision table asks for them. */
export interface Seen {
  asked: Asked;
  evidence: Evidence;
  owner?: string;
  entry?: Entry;
  rejected?: string[];
  damaged?: Damaged[];
  /** An entry would do, but that it holds what is blocked: this counts more than what keeps another away. */
  blocked?: Refusal;
  /** A store could not be read: no install may start. */
  unread?: Refusal;
  refusal?: Refusal;
}

/** A declared package that is asked for. */
export interface Subject {
  name: string;
  lookup: Lookup;
  request: Request;
  locator: Locator;
  seen: Seen;
}

/** Looks up one fact and notes it, with what was found on the way. */
export function lookUp(
  fact: keyof Evidence,
  { name, lookup, request, locator, seen }: Subject,
): void {
  const { thread } = locator;
  const { feature } = lookup;
  const { evidence } = seen;
  if (fact === 'isOwned') {
    const from = dirname(request.parent ?? join(thread.settings.core.root, 'x'));
    const own = findOwner(name, from, []);
    const [owner = own] = own === undefined ? findGlobalOwners(name, listCoreFolders(locator)) : [];
    const isForRequire = own === undefined && request.kind === 'import';
    evidence.isOwned = owner !== undefined && (isForRequire ? 'for require' : true);
    if (owner !== undefined) seen.owner = owner;
    if (owner !== undefined && isForRequire) seen.refusal = refuseFolder(owner);
  } else if (fact === 'isInRoot') {
    evidence.isInRoot = findCorePackage(name, thread.settings.core.root) !== undefined;
  } else if (fact === 'hasEntry') {
    thread.askers.set(feature.name, request);
    const { entry, rejected, damaged, blocked, unread } = thread.choose(lookup);
    evidence.hasEntry = entry !== undefined;
    seen.rejected = rejected;
    seen.damaged = damaged;
    if (blocked !== undefined) seen.blocked = blocked;
    if (unread !== undefined) seen.unread = unread;
    if (entry !== undefined) seen.entry = entry;
  } else if (fact === 'mayInstall') {
    const refusal =
      seen.unread ??
      findInstallRefusal(lookup, { local: thread.failures.get(feature.name) }) ??
      (seen.asked.zone === 'dependency' ? refuseProbe(feature) : undefined);
    evidence.mayInstall = refusal === undefined;
    if (refusal !== undefined) seen.refusal = seen.blocked ?? refusal;
  }
}

/** A name in a folder that is no node_modules: import alone fails, and Node does not say why. */
const refuseFolder = (owner: string): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason: `${owner} has that name: NODE_PATH or the home directory leads require there, and import does not search there`,
  hint: 'remove it, or remove its folder from NODE_PATH',
});

/** A package of the core that probes for an optional dependency starts no install. */
const refuseProbe = ({ name }: Feature): Refusal => ({
  code: 'ANNEX_DENIED',
  reason: "only the application's own files may start an install",
  hint: `call ensure(${JSON.stringify(name)}), or list the package under annex.importers`,
});
