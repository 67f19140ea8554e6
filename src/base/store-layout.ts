/** Paths in a store: pure arithmetic. */
import { basename, delimiter, dirname, join, normalize, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exec, indexOf, slice, startsWith } from './primordials.ts';

/** The format of locks and entries. Annex locks and installs again what has another format. */
export const FORMAT = 2;

/** Name of the manifest in an entry. */
export const MANIFEST = 'annex-entry.json';

/** Name of the listing of an entry's files. */
export const FILES = 'annex-files.txt';

/**
 * Name of the file at the top of an entry where Node's search for a package scope ends: it has no name, exports or
 * imports.
 */
export const BARRIER = 'package.json';

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

/** Whether a directory of a store has entries. */
export const isAbiName = (name: string): boolean => name === PLAIN || /^node\d+-/.test(name);

/** The directory of this version of the layout. */
export const VERSION = 'v1';
/** Directory in which entries are built before they are published. */
export const STAGING = 'staging';
/** Directory of the locks of installers. */
export const LOCKS = 'locks';
/** Directory of remembered failures. */
export const FAILURES = 'failures';
/** Directory of the marks of retired entries, and of entries that are being removed. */
export const RETIRED = 'retired';

/** The root of this version of the layout. */
export const versionRoot = (store: string): string => join(store, VERSION);
/** The directory of the entries of one ABI. */
export const abiRoot = (store: string, abi: string): string => join(store, VERSION, abi);
/** The directory in which entries are built before they are published. */
export const stagingRoot = (store: string): string => join(store, VERSION, STAGING);
/** Name of the mark of a retired entry, given its directory. */
export const retirementName = (entry: string): string =>
  `${basename(dirname(entry))}.${basename(entry)}`;
/** Name of the lock of one feature. */
export const lockName = (slug: string): string => `${slug}.lock`;
/** File name of the remembered failure of a feature, by its slug, or of a host, by `hostName`. */
export const failureName = (name: string): string => `${name}.json`;
/** File name of the output of a failed install script, by the feature's slug. */
export const outputName = (name: string): string => `${name}.log`;
/** Name of a host; no slug of a feature has `@`: `@registry.corp%3A4873`. */
export const hostName = (host: string): string => `@${encodeURIComponent(host)}`;

/** The three parts of an entry's directory name. */
export interface EntryName {
  slug: string;
  /** 32 hex digits over the content. */
  id: string;
  /** Generation: a repaired entry has the same content and another nonce than the damaged one. */
  nonce: string;
}

/** `exa-js.0f…9a.0` */
export const toEntryName = ({ slug, id, nonce }: EntryName): string => `${slug}.${id}.${nonce}`;

/** Parses the directory name of an entry; undefined for any other name. */
export function parseEntryName(name: string): EntryName | undefined {
  const match = exec(/^([a-z0-9._-]{1,60})\.([0-9a-f]{32})\.([0-9a-z]{1,16})$/, name);
  return match === null
    ? undefined
    : { slug: match[1] ?? '', id: match[2] ?? '', nonce: match[3] ?? '' };
}

/**
 * The entry that contains a file; undefined without one.
 *
 * @param root the `versionRoot` of a store; real if the file's path is real
 */
export function entryOf(file: string, root: string): string | undefined {
  if (!startsWith(file, root) || file[root.length] !== sep) return undefined;
  const abi = indexOf(file, sep, root.length + 1);
  if (abi === -1) return undefined;
  const after = indexOf(file, sep, abi + 1);
  const end = after === -1 ? file.length : after;
  return parseEntryName(slice(file, abi + 1, end)) && slice(file, 0, end);
}

/**
 * The path of a file below an entry, as its listing has it. A path from a URL can have repeated slashes, and one at its
 * end.
 */
export const toListedPath = (file: string, entry: string): string =>
  resolve(file).slice(entry.length + 1);

/** Whether a path is in an entry of any store. */
export const isInEntry = (path: string): boolean => {
  const parts = path.split(sep);
  return parts.some(
    (part, at) =>
      part === VERSION && isAbiName(parts[at + 1] ?? '') && parseEntryName(parts[at + 2] ?? ''),
  );
};

/** A path for messages: relative to the root when it is in it. */
export const relativeTo = (root: string, path: string): string =>
  isWithin(path, root) ? relative(root, path) : path;

/** Whether a path is a directory or in it; both real, or both as configured. */
export function isWithin(path: string, dir: string): boolean {
  return path === dir || path.startsWith(dir.endsWith(sep) ? dir : dir + sep);
}

/**
 * Splits ANNEX_STORE into the store and its layers, as normal paths. An empty first path is a missing store: the layer
 * behind it must not become the store.
 *
 * @example splitStores('/data/annex/:/app/../layers/*') // ['/data/annex', '/layers/*']
 */
export function splitStores(list: string): string[] {
  const [store = '', ...rest] = list.split(delimiter).map(toNormal);
  const layers = rest.filter((path) => path !== '');
  return store === '' && layers.length === 0 ? [] : [store, ...layers];
}

/** A path without `.`, `..` and repeated slashes, and without one at its end. */
const toNormal = (path: string): string => path && normalize(path).replace(/(?<=.)[/]+$/, '');

/** The default store of an application, below the cache directory of the user. */
export const defaultStore = (cacheDir: string, realRoot: string): string =>
  join(cacheDir, 'annex', realRoot);

/** How the paths and the file URLs of everything in some stores begin. */
export const listPrefixes = (stores: readonly string[]): string[] =>
  stores.flatMap((store) => [
    versionRoot(store) + sep,
    `${pathToFileURL(versionRoot(store)).href}/`,
  ]);
