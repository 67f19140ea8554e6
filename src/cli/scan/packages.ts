/** Judges requested packages: which key of a package.json lists one, and what the application lacks. Pure. */
import { isRange } from '../../base/semver.ts';
import { isObject, type JsonObject } from '../../base/shape.ts';
import { isPackageName, parseBareSpecifier } from '../../base/specifier.ts';
import type { RequestKind } from './source.ts';

/** What lists a package. */
export type Listing =
  | 'builtin'
  | 'dependencies'
  | 'optionalDependencies'
  | 'peerDependencies'
  | 'optional peerDependencies'
  | 'devDependencies'
  | 'unknown';

/** Where a package is requested. */
export interface RequestPlace {
  /** Relative to the application. */
  file: string;
  line: number;
  kind: RequestKind;
}

/** A requested package. */
export interface RequestedPackage {
  package: string;
  listedIn: Listing;
  /** The range of that listing. */
  range?: string;
  /** `declared` as a feature; `shipped` with the application or with Node; else `undeclared`. */
  state: 'declared' | 'shipped' | 'undeclared';
  requests: RequestPlace[];
}

const KEYS = [
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'devDependencies',
] as const;

/**
 * Finds the key that lists a package.
 *
 * @param manifests package.json files, in the order of precedence
 * @example findListing('pg', [{ devDependencies: { pg: '^8' } }]) // { listedIn: 'devDependencies', range: '^8' }
 */
export function findListing(
  name: string,
  manifests: readonly JsonObject[],
): Pick<RequestedPackage, 'listedIn' | 'range'> {
  for (const key of KEYS) {
    for (const manifest of manifests) {
      const listed = readKey(manifest, key);
      if (!Object.hasOwn(listed, name)) continue;
      const range = listed[name];
      const meta = readKey(manifest, 'peerDependenciesMeta')[name];
      const isOptional = key === 'peerDependencies' && isObject(meta) && meta.optional === true;
      const listedIn = isOptional ? 'optional peerDependencies' : key;
      return { listedIn, ...(typeof range === 'string' && { range }) };
    }
  }
  return { listedIn: 'unknown' };
}

const readKey = (manifest: JsonObject, key: string): JsonObject => {
  const value = manifest[key];
  return isObject(value) ? value : {};
};

/**
 * The package that a specifier names; undefined for a path, a URL, `#internal`, and an alias such as `@/lib`.
 *
 * @example findRequestedName('exa-js/client') // 'exa-js'
 */
export function findRequestedName(specifier: string): string | undefined {
  const name = parseBareSpecifier(specifier)?.name;
  return name !== undefined && isPackageName(name) ? name : undefined;
}

/**
 * The range of a listing, if a feature can have it: a semver range, neither empty nor a path, tag or alias.
 *
 * @example findUsableRange({ listedIn: 'devDependencies', range: 'workspace:*' }) // undefined
 */
export const findUsableRange = ({
  range = '',
}: Pick<RequestedPackage, 'listedIn' | 'range'>): string | undefined =>
  range.trim() !== '' && isRange(range) ? range : undefined;

/** Whether what is listed so is there at run time. */
export const isShippedAs = (listing: Listing): boolean =>
  ['builtin', 'dependencies', 'optionalDependencies', 'peerDependencies'].includes(listing);

/**
 * A pattern for strings that name one of these packages or features. A string is enough: a program can compute
 * a specifier from it.
 */
export function createMentionPattern(names: readonly string[]): RegExp {
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(["'\`])(${escaped.join('|')})(?:/[^"'\`\\n]*)?\\1`, 'g');
}
