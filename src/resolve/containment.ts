/** Finds the entry that has to hold the answer to a request, and whether an answer lies there. */
import { isBuiltin } from 'node:module';
import { dirname, sep } from 'node:path';
import { findCorePackage, findOwner } from '../app/core.ts';
import { canWatchLoads } from '../base/load-hooks.ts';
import { toRealPath } from '../base/paths.ts';
import { parseBareSpecifier, readFirstName } from '../base/specifier.ts';
import { isWithin } from '../base/store-layout.ts';
import { hasPreservedLinks } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import { isContained } from '../store/directory.ts';
import type { RequestFacts } from './decide.ts';
import { findTargetPath } from './destination.ts';
import { listFolders } from './global-folders.ts';
import type { Locator } from './locator.ts';
import type { Outcome, Request } from './request.ts';
import { findPackageName } from './zones.ts';

/** The target of a request, before Node searches or follows a link. */
export interface Aim {
  form: RequestFacts['form'];
  /** The package that a bare specifier names, or that the path lies in; empty for none. */
  name: string;
  /** The path that a path or URL specifier means. */
  path?: string;
  /** The entry that has to hold the answer: the one that `path` lies in, else that of the parent file. */
  entry?: string;
}

const keepsLinksAlways = hasPreservedLinks() || !canWatchLoads(process.versions.node);

/**
 * Whether Node can return a path through a link: it preserves links, or, where loads are not verified,
 * resolved the path before the link was made.
 */
export const mayKeepLinks = ({ keepsLinks, verify }: Settings): boolean =>
  keepsLinksAlways || keepsLinks || verify !== 'load';

/** Finds the target of a request. Without `entry`, no store is concerned. */
export function findAim(request: Request, { findEntryOf, isInStore }: Locator): Aim {
  const { specifier, parent } = request;
  if (isBuiltin(specifier)) return { form: 'free', name: '' };
  const path = findTargetPath(request);
  if (path !== undefined && !isInStore(path)) return { form: 'free', name: '' };
  const entry =
    (path === undefined ? undefined : findEntryOf(path)) ??
    (parent === undefined ? undefined : findEntryOf(parent));
  const within = entry === undefined ? {} : { entry };
  if (path !== undefined) {
    return { form: 'other', name: findPackageName(path) ?? '', path, ...within };
  }
  const name = parseBareSpecifier(specifier)?.name;
  return name === undefined
    ? { form: 'other', name: '', ...within }
    : { form: 'bare', name, ...within };
}

/** Whether an answer lies outside the entry that has to hold it, and is not shared with the core. */
export function isForeign<R>(
  answer: Outcome<R>,
  { entry, name, path }: Aim,
  request: Request,
  locator: Locator,
  fileOf: (result: R) => string | undefined,
): boolean {
  if (entry === undefined) return false;
  if ('error' in answer) return path === undefined && isErrorFromOutside(request, entry);
  const file = fileOf(answer.result);
  if (file === undefined) return false;
  const real = locator.findRealEntry(entry);
  // Node has usually resolved links already, and this runs for every file of an entry.
  const mayBeLink = path === undefined || mayKeepLinks(locator.thread.settings);
  if (mayBeLink ? isContained(file, real) : isWithin(file, real) || isWithin(file, entry))
    return false;
  const names = request.specifier.startsWith('#') ? locator.listShared(entry) : [name];
  return !names.some(
    (shared) => locator.isShared(entry, shared) && isInCorePackage(file, shared, locator),
  );
}

/** Whether a file lies in the copy of a package that the core root sees. */
export function isInCorePackage(
  file: string | undefined,
  name: string,
  { thread }: Locator,
): boolean {
  const found = findCorePackage(name, thread.settings.core.root);
  return found !== undefined && isContained(file, toRealPath(found.dir));
}

/** Whether an error is about a package outside the entry: the nearest one of that name. */
export function isErrorFromOutside({ specifier, parent = sep }: Request, entry: string): boolean {
  const name = readFirstName(specifier);
  if (name === undefined) return false;
  const owner = findOwner(name, dirname(parent), listFolders());
  return owner !== undefined && !isWithin(owner, entry);
}
