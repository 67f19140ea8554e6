/** Parses specifiers by Node's PACKAGE_RESOLVE. */
import { includes, indexOf, slice } from './primordials.ts';

/** A bare specifier in its two parts. */
export interface BareSpecifier {
  /** `exa-js`, `@mendable/firecrawl-js` */
  name: string;
  /** `.` or `./sub` */
  subpath: string;
}

/**
 * Splits a bare specifier into package name and subpath; undefined for any other specifier (relative,
 * absolute, a URL, `#internal`, malformed). Builtins without `node:` count as bare; they cannot be declared.
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
 * The name that Node looks up in node_modules, including names that no package has: `bun:sqlite`, `a%b`,
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

/** npm accepts up to 214 characters; annex accepts 200. */
const MAX_NAME = 200;

/**
 * Whether npm accepts a package name, either a new one or an old one with capitals.
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
