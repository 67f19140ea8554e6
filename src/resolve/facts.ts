/** Collects the facts that the decision table needs, one at a time. */
import { dirname, join } from 'node:path';
import { findCorePackage, findGlobalOwners, findOwner } from '../app/core.ts';
import type { Lookup } from '../app/lookup.ts';
import type { Feature } from '../settings/feature.ts';
import { findInstallRefusal } from '../status/refusals.ts';
import type { FoundEntry } from '../store/entry.ts';
import type { Refusal } from '../types.ts';
import type { Aim } from './containment.ts';
import type { Evidence, RequestFacts } from './decide.ts';
import { isFromFolder, listCoreFolders } from './global-folders.ts';
import type { Locator } from './locator.ts';
import type { Request } from './request.ts';
import { findPackageName } from './zones.ts';

/** A request, and what is known about it so far. */
export interface Subject {
  request: Request;
  aim: Aim;
  locator: Locator;
  facts: RequestFacts;
  evidence: Evidence;
  /** The lookup of the feature that declares the package; undefined for any other request. */
  lookup: Lookup | undefined;
  /** The path that owns the name in the core. */
  owner?: string;
  /** The result of the search in the stores. */
  found?: FoundEntry;
  /** Why the package is unavailable. */
  refusal?: Refusal;
}

/** A request for a declared package. */
export type DeclaredSubject = Subject & { lookup: Lookup };

/** Whether a feature declares the package of a request. */
export const isDeclared = (subject: Subject): subject is DeclaredSubject =>
  subject.lookup !== undefined;

/** Whether `require` found a declared package in a folder that does not belong to the core. */
export const isOutsideCore = (file: string | undefined, subject: Subject): boolean =>
  isDeclared(subject) &&
  ['core', 'dependency', 'importer'].includes(subject.facts.zone) &&
  isFromFolder(file, subject.aim.name, searchStart(subject), subject.locator);

/** The directory from which Node searches for a package. */
const searchStart = ({ request, locator }: Subject): string =>
  dirname(request.parent ?? join(locator.thread.settings.core.root, 'x'));

/** Finds out whether the core owns the name. */
export function collectOwner(subject: DeclaredSubject): void {
  const { aim, evidence, locator, request } = subject;
  const from = searchStart(subject);
  const ownerInTree = findOwner(aim.name, from, []);
  const [owner = ownerInTree] =
    ownerInTree === undefined ? findGlobalOwners(aim.name, listCoreFolders(locator)) : [];
  const isForRequire = ownerInTree === undefined && request.kind === 'import';
  evidence.isOwned = owner !== undefined && (isForRequire ? 'for require' : true);
  if (owner === undefined) return;
  subject.owner = owner;
  if (isForRequire) subject.refusal = refuseFolder(owner);
}

/** Finds out whether the core root has the package. */
export function collectRootCopy({ aim, evidence, locator }: DeclaredSubject): void {
  evidence.isInRoot = findCorePackage(aim.name, locator.thread.settings.core.root) !== undefined;
}

/** Chooses the entry of the feature, if the stores have one. */
export function collectEntry(subject: DeclaredSubject): void {
  const { evidence, locator, lookup, request } = subject;
  locator.thread.requesters.set(lookup.feature.name, request);
  subject.found = locator.thread.choose(lookup);
  evidence.hasEntry = subject.found.entry !== undefined;
}

/** Finds out whether an install may start. */
export function collectInstallRefusal(subject: DeclaredSubject): void {
  const { facts, evidence, found, locator, lookup, request } = subject;
  const { feature } = lookup;
  const refusal =
    findInstallRefusal(lookup, found ?? {}, {
      local: locator.thread.failures.get(feature.name),
    }) ?? (facts.zone === 'dependency' ? refuseProbe(feature, request) : undefined);
  evidence.mayInstall = refusal === undefined;
  if (refusal !== undefined) subject.refusal = refusal;
}

/** `require` finds the name in a folder that `import` does not search, and Node's error does not say so. */
const refuseFolder = (owner: string): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason: `${owner} has that name; require loads it, because of NODE_PATH or the home directory, and import does not`,
  hint: 'remove it, or remove its folder from NODE_PATH',
});

/** Packages of the core probe for optional dependencies: that must not start an install. */
const refuseProbe = ({ name }: Feature, { parent = '' }: Request): Refusal => ({
  code: 'ANNEX_DENIED',
  reason: "only the application's own files may start an install",
  hint: `call ensure(${JSON.stringify(name)}), or list ${findPackageName(parent) ?? 'the package'} under annex.importers`,
});
