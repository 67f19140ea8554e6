/** The listing of an entry's files: how it is written, read and compared. */
import { posix } from 'node:path';
import { FORMAT } from '../base/store-layout.ts';
import type { ClosurePackage } from '../plan/identity.ts';

/** Path of each package to its listing, as `composeListing` writes it. */
export type Listings = Record<string, string>;

/** `annex-files.txt`, parsed. */
export interface Files {
  /** Path of each package to its listing. */
  packages: Map<string, string>;
  /** Files that install scripts made, changed or removed: path in the entry to value, empty for a removed file. */
  generated: Map<string, string>;
}

/**
 * Every file of an entry below its top: path to value. The value of a file is `SHA256 SIZE`, in hex digits and
 * bytes; the value of a link is `-> TARGET`.
 */
export type Expected = Map<string, string>;

/** The first line. */
const HEAD = `annex-files ${FORMAT}\n`;
/** The line before the files of scripts. No path of a package and no value starts with it. */
const GENERATED = 'generated';
/** Start of the value of a link. */
const LINK = '-> ';
/** Start of the path of a package. */
const PACKAGE = 'node_modules/';

/** The value of a file. */
export const toValue = (sha256: string, size: number): string => `${sha256} ${size}`;

/** The size in a value, bytes; NaN unless it is the value of a file. */
export const sizeOf = (value: string): number =>
  /^[0-9a-f]{64} \d{1,15}$/.test(value) ? Number(value.slice(65)) : Number.NaN;

/**
 * The listing of some files: a line `VALUE\tPATH` for each, sorted by path in code units. A backslash, a tab and a
 * newline are escaped as in JSON.
 */
export const composeListing = (files: Iterable<readonly [path: string, value: string]>): string =>
  [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, value]) => `${quote(value)}\t${quote(path)}\n`)
    .join('');

/** Calls a function with each line of a listing. */
export function eachLine(listing: string, use: (path: string, value: string) => void): void {
  let tab = listing.indexOf('\t');
  for (let start = 0; start < listing.length; ) {
    const newline = listing.indexOf('\n', start);
    const end = newline === -1 ? listing.length : newline;
    // Not searched for each line: in a text without tabs that takes quadratic time.
    if (tab !== -1 && tab < start) tab = listing.indexOf('\t', start);
    if (tab >= start && tab < end) {
      use(unquote(listing.slice(tab + 1, end)), unquote(listing.slice(start, tab)));
    }
    start = end + 1;
  }
}

/** A line of a listing. */
export interface Line {
  path: string;
  value: string;
  /** Where the next line starts. */
  end: number;
}

/** Reads the line of a listing that starts at a position. */
export function readLine(listing: string, start: number): Line {
  const newline = listing.indexOf('\n', start);
  const end = newline === -1 ? listing.length : newline;
  const line = listing.slice(start, end);
  const tab = line.indexOf('\t');
  const [path, value] = tab === -1 ? [line, ''] : [line.slice(tab + 1), line.slice(0, tab)];
  return { path: unquote(path), value: unquote(value), end: end + 1 };
}

/** The text of `annex-files.txt`. */
export function composeFiles(packages: Listings, generated: Record<string, string>): string {
  const sections = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  const made = composeListing(Object.entries(generated));
  const listed = sections.map(([path, listing]) => `${path}\n${listing}`);
  return [HEAD, ...listed, ...(made === '' ? [] : [`${GENERATED}\n${made}`])].join('');
}

/** Parses `annex-files.txt`; returns undefined for another format, and for an incomplete file. */
export function parseFiles(text: string): Files | undefined {
  if (!text.startsWith(HEAD)) return undefined;
  const mark = text.indexOf(`\n${GENERATED}\n`) + 1;
  const end = mark === 0 ? text.length : mark;
  const files: Files = { packages: new Map(), generated: new Map() };
  for (let start = HEAD.length; start < end; ) {
    const from = text.indexOf('\n', start) + 1;
    const path = text.slice(start, from - 1);
    if (from === 0 || !path.startsWith(PACKAGE) || files.packages.has(path)) return undefined;
    // The newline before the next package may be the one that ends this path: the listing is empty.
    const next = text.indexOf(`\n${PACKAGE}`, from - 1) + 1;
    const to = next === 0 || next > end ? end : next;
    files.packages.set(path, text.slice(from, to));
    start = to;
  }
  if (mark !== 0) {
    const made = text.slice(mark + GENERATED.length + 1);
    eachLine(made, (path, value) => files.generated.set(path, value));
  }
  return files;
}

/** Size of `annex-files.txt` for locked packages, without the files of scripts, bytes. */
export const measureListings = (packages: Record<string, { listed: number }>): number =>
  Object.entries(packages).reduce(
    (sum, [path, { listed }]) => sum + Buffer.byteLength(path) + 1 + listed,
    HEAD.length,
  );

const QUOTED: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n' };
const UNQUOTED: Record<string, string> = { '\\\\': '\\', '\\t': '\t', '\\n': '\n' };
const quote = (text: string): string => text.replace(/[\\\t\n]/g, (sign) => QUOTED[sign] ?? '');
const unquote = (text: string): string =>
  text.includes('\\') ? text.replace(/\\./g, (pair) => UNQUOTED[pair] ?? pair) : text;

/**
 * Combines the files of all packages with what scripts made, changed or removed.
 */
export function expectFiles({ packages, generated }: Files): Expected {
  const expected: Expected = new Map();
  for (const [path, listing] of packages) {
    eachLine(listing, (name, value) => expected.set(`${path}/${name}`, value));
  }
  for (const [path, value] of generated) {
    if (value === '') expected.delete(path);
    else expected.set(path, value);
  }
  return expected;
}

/**
 * Finds a file that no install script can have made: it is outside of the packages whose scripts may run, below a
 * `node_modules` in one of them, or a link out of the entry.
 *
 * @param scripts names of the packages whose scripts may run
 * @returns path of the file; undefined without one
 */
export function findNotGenerated(
  generated: Iterable<readonly [path: string, value: string]>,
  closure: ClosurePackage[],
  scripts: string[],
): string | undefined {
  const owners = new Set(
    closure.filter(({ name }) => scripts.includes(name)).map(({ path }) => path),
  );
  for (const [path, value] of generated) {
    if (!owners.has(findOwner(path)) || !leadsInside(path, value)) return path;
  }
  return undefined;
}

/** Path of the package that a file belongs to by its path; empty for none. */
function findOwner(path: string): string {
  const steps = path.split('/');
  const at = steps.lastIndexOf('node_modules') + 1;
  const end = at + (steps[at]?.startsWith('@') ? 2 : 1);
  const isInside = end < steps.length && !steps.includes('..') && !steps.includes('.');
  return isInside ? steps.slice(0, end).join('/') : '';
}

function leadsInside(path: string, value: string): boolean {
  if (!value.startsWith(LINK)) return true;
  const target = value.slice(LINK.length);
  return !target.startsWith('/') && posix.join(posix.dirname(path), target).startsWith(PACKAGE);
}

const NATIVE = /\.(?:node|wasm|jsc|so|dylib|dll|exe|bin|sh)$|\.so\./;
/** The end of a line of a listing whose file has such a name, or a name without a dot. */
const NATIVE_LINE =
  /(?:[\t/][^./\n]+|\.(?:node|wasm|jsc|so|dylib|dll|exe|bin|sh)|\.so\.[^/\n]*)\n/g;
const TEXT = /^(?:licen[cs]e|copying|notice|readme|authors|changelog)$/i;

/**
 * Whether a file may be used without Node's loader: a package.json, compiled code, or a program.
 */
export function canBypassLoader(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === 'package.json') return true;
  return name.includes('.') ? NATIVE.test(name) : !TEXT.test(name);
}

/** Lists the compiled code and the programs of an entry: Node's loader sees none of them. */
export function listNatives({ packages, generated }: Files): [path: string, value: string][] {
  const found: [string, string][] = [];
  const add = (path: string, value: string): void => {
    const isNative = canBypassLoader(path) && !path.endsWith('/package.json');
    if (isNative && value !== '') found.push([path, value]);
  };
  for (const [owner, listing] of packages) {
    for (const { index } of listing.matchAll(NATIVE_LINE)) {
      const { path, value } = readLine(listing, listing.lastIndexOf('\n', index) + 1);
      if (!generated.has(`${owner}/${path}`)) add(`${owner}/${path}`, value);
    }
  }
  for (const [path, value] of generated) add(path, value);
  return found;
}
