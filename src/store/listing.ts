/** What an entry is to hold: its listing, made ready for comparison. */
import type { ClosurePackage, Listings } from '../types.ts';

/** `annex-files.json`. */
export interface FilesFile {
  format: 1;
  packages: Listings;
  /** What install scripts made or changed: path in the entry to sha256, `-> target` of a link, or nothing when it went. */
  generated: Record<string, string>;
}

/** Every file of an entry below its top: path to sha256, or `-> target` of a link. */
export type Expected = Map<string, string>;

/** Length of a sha256 and the two spaces behind it, on a line of a listing. */
const HEAD = 66;

/**
 * Puts together which files an entry is to hold. What scripts have made counts; what they have
 * changed counts in the packages alone whose scripts may run.
 *
 * @param scripts names of those packages
 */
export function expectFiles(
  { packages, generated }: FilesFile,
  closure: ClosurePackage[],
  scripts: string[],
): Expected {
  const expected: Expected = new Map();
  for (const [path, listing] of Object.entries(packages)) {
    for (let start = 0; start < listing.length; ) {
      const end = listing.indexOf('\n', start);
      const name = listing.slice(start + HEAD, end === -1 ? undefined : end);
      expected.set(`${path}/${name}`, listing.slice(start, start + HEAD - 2));
      start = end === -1 ? listing.length : end + 1;
    }
  }
  if (scripts.length === 0) return expected;
  for (const [path, made] of Object.entries(generated)) {
    if (expected.has(path) && !mayChange(path, closure, scripts)) continue;
    if (made === '') expected.delete(path);
    else expected.set(path, made);
  }
  return expected;
}

/** Whether a file that a package came with belongs to one whose scripts may run. */
export const mayChange = (path: string, closure: ClosurePackage[], scripts: string[]): boolean =>
  scripts.includes(findOwner(path, closure));

/** Name of the innermost package that a file lies in. */
function findOwner(file: string, closure: ClosurePackage[]): string {
  let owner: ClosurePackage | undefined;
  for (const each of closure) {
    if (file.startsWith(`${each.path}/`) && each.path.length > (owner?.path.length ?? 0))
      owner = each;
  }
  return owner?.name ?? '';
}

const NATIVE = /\.(?:node|wasm|so|dylib|dll|exe|bin|sh)$|\.so\./;
const TEXT = /^(?:licen[cs]e|copying|notice|readme|authors|changelog)$/i;

/**
 * Whether a file is used without passing Node's loader: package.json files, compiled code, and what
 * looks like a program.
 */
export function isUnseen(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === 'package.json') return true;
  return name.includes('.') ? NATIVE.test(name) : !TEXT.test(name);
}
