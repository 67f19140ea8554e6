/** Where things are in a store: arithmetic on paths, no input or output. */
import { basename, dirname, join, relative, sep } from 'node:path';
import { exec, indexOf, slice, startsWith } from './primordials.ts';

/** The format of locks and entries. What is of another one is locked or installed again. */
export const FORMAT = 2;

/** Name of the manifest in an entry. */
export const MANIFEST = 'annex-entry.json';

/** Name of the listing of an entry's files. */
export const FILES = 'annex-files.txt';

/** ABI directory of closures that are plain JavaScript. */
export const PLAIN = 'any';

/**
 * A feature's name as a file name: `[a-z0-9._-]`, at most 60 characters, never empty or hidden.
 *
 * @example toSlug('@mendable/firecrawl-js') // 'mendable-firecrawl-js'
 */
export function toSlug(feature: string): string {
  const slug = feature
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 60);
  return slug === '' ? 'feature' : slug;
}

/** Whether a directory of a store is one that entries stand in. */
export const isAbiName = (name: string): boolean => name === PLAIN || /^node\d+-/.test(name);

/** The directory of everything that this format version keeps in a store. */
export const VERSION = 'v1';
/** Beside the directories of ABIs: where entries are built before they are published, */
export const STAGING = 'staging';
/** where installers lock features, */
export const LOCKS = 'locks';
/** where it is remembered what failed, */
export const FAILURES = 'failures';
/** and where retired entries are marked, and those go that are being removed. */
export const RETIRED = 'retired';

/** The root of everything that this format version keeps in a store. */
export const versionRoot = (store: string): string => join(store, VERSION);
/** Where entries of one ABI stand. */
export const abiRoot = (store: string, abi: string): string => join(store, VERSION, abi);
/** Where entries are built before they are published. */
export const stagingRoot = (store: string): string => join(store, VERSION, STAGING);
/** Name of what marks an entry as retired, given its directory. */
export const retirementName = (entry: string): string =>
  `${basename(dirname(entry))}.${basename(entry)}`;
/** Name of the lock of one feature. */
export const lockName = (slug: string): string => `${slug}.lock`;
/** Name of what is remembered of a feature, by its slug, or of a host, by `hostName`. */
export const failureName = (name: string): string => `${name}.json`;
/** Name of what an install script of a feature printed when it failed, by the feature's slug. */
export const outputName = (name: string): string => `${name}.log`;
/** A host among the slugs of features, none of which has that sign: `@registry.corp%3A4873`. */
export const hostName = (host: string): string => `@${encodeURIComponent(host)}`;

/** The three parts of an entry's directory name. */
export interface EntryName {
  slug: string;
  /** 32 hex digits over the content. */
  id: string;
  /** Generation: a repaired entry of the same content stands beside the bad one. */
  nonce: string;
}

/** `exa-js.0f…9a.0` */
export const toEntryName = ({ slug, id, nonce }: EntryName): string => `${slug}.${id}.${nonce}`;

/** Reads the directory name of an entry; undefined for anything else. */
export function parseEntryName(name: string): EntryName | undefined {
  const match = exec(/^([a-z0-9._-]{1,60})\.([0-9a-f]{32})\.([0-9a-z]{1,16})$/, name);
  return match === null
    ? undefined
    : { slug: match[1] ?? '', id: match[2] ?? '', nonce: match[3] ?? '' };
}

/**
 * The entry that a file is in; undefined when the file is in none.
 *
 * @param root of a store, as `versionRoot` has it, in the form of the file's path: both real, or both
 *   as configured
 */
export function entryOf(file: string, root: string): string | undefined {
  if (!startsWith(file, root) || file[root.length] !== sep) return undefined;
  const abi = indexOf(file, sep, root.length + 1);
  if (abi === -1) return undefined;
  const after = indexOf(file, sep, abi + 1);
  const end = after === -1 ? file.length : after;
  return parseEntryName(slice(file, abi + 1, end)) && slice(file, 0, end);
}

/** Whether a path leads into an entry, of whichever store. */
export const isInEntry = (path: string): boolean => {
  const parts = path.split(sep);
  return parts.some(
    (part, at) =>
      part === 'v1' && isAbiName(parts[at + 1] ?? '') && parseEntryName(parts[at + 2] ?? ''),
  );
};

/** A path as a person would name it: relative to the root when it lies there. */
export const relativeTo = (root: string, path: string): string =>
  isWithin(path, root) ? relative(root, path) : path;

/** Whether a path is a directory or lies below it; both in the same form. */
export function isWithin(path: string, dir: string): boolean {
  return path === dir || path.startsWith(dir.endsWith(sep) ? dir : dir + sep);
}
