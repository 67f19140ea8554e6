/** What a specifier is and which package it names; after Node's own PACKAGE_RESOLVE. */
import { includes, indexOf, slice } from './primordials.ts';

/** A bare specifier in its two parts. */
export interface BareSpecifier {
  /** `exa-js`, `@mendable/firecrawl-js` */
  name: string;
  /** `.` or `./sub` */
  subpath: string;
}

/**
 * Splits a bare specifier into package name and subpath; undefined for anything that is not one
 * (relative, absolute, a URL, `#internal`, or malformed). Builtins without `node:` look like bare
 * specifiers: they can never be declared.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/esm.html#resolution-algorithm-specification
 * @example parseBareSpecifier('@scope/name/sub') // { name: '@scope/name', subpath: './sub' }
 */
export function parseBareSpecifier(specifier: string): BareSpecifier | undefined {
  const first = specifier[0];
  if (first === undefined || first === '.' || first === '/' || first === '#') return undefined;
  let end = indexOf(specifier, '/');
  if (first === '@') {
    if (end === -1) return undefined;
    end = indexOf(specifier, '/', end + 1);
  }
  const name = end === -1 ? specifier : slice(specifier, 0, end);
  if (includes(name, ':') || includes(name, '\\') || includes(name, '%')) return undefined;
  return { name, subpath: end === -1 ? '.' : `.${slice(specifier, end)}` };
}

/**
 * The name in node_modules that Node looks for, also where it is no package's: `bun:sqlite`, `a%b`,
 * `@x`, `.hid`. Undefined for `#internal`.
 *
 * @param specifier neither a path nor a URL
 * @example readFirstName('@x/y/z') // '@x/y'
 */
export function readFirstName(specifier: string): string | undefined {
  if (specifier === '' || specifier[0] === '#') return undefined;
  const [first = '', second] = specifier.split('/', 2);
  return first[0] === '@' && second !== undefined ? `${first}/${second}` : first;
}

/** The longest package name that npm takes is 214 characters; annex stops at 200. */
const MAX_NAME = 200;

/**
 * Whether npm takes this as the name of a package: a new one, or an old one with capitals.
 *
 * @see https://github.com/npm/validate-npm-package-name/blob/v6.0.0/lib/index.js
 */
export function isPackageName(name: string): boolean {
  return (
    name.length <= MAX_NAME &&
    /^(?:@[a-z0-9-][a-z0-9._-]*\/)?[a-z0-9-][a-z0-9._-]*$/i.test(name) &&
    name !== 'node_modules' &&
    name !== 'favicon.ico'
  );
}
