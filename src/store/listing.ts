/** What an entry is to hold: how its listing is written, read, and made ready for comparison. */
import { posix } from 'node:path';
import { FORMAT } from '../base/store-layout.ts';
import type { ClosurePackage } from '../plan/content.ts';

/** Path of a package to its listing, as `composeListing` writes it. */
export type Listings = Record<string, string>;

/** `annex-files.txt`, read. */
export interface Files {
  /** Path of a package to its listing. */
  packages: Map<string, string>;
  /** What install scripts made, changed or removed: path in the entry to value; an empty one when it went. */
  generated: Map<string, string>;
}

/**
 * Every file of an entry below its top: path to value. The value of a file is `SHA256 SIZE`, in hex
 * digits and bytes; that of a link `-> TARGET`.
 */
export type Expected = Map<string, string>;

/** The first line, with the number of the format. */
const HEAD = `annex-files ${FORMAT}\n`;
/** The line before what scripts made. No path of a package and no value begins so. */
const GENERATED = 'generated';
/** How the value of a link begins. */
const LINK = '-> ';
/** How the path of every package begins. */
const PACKAGE = 'node_modules/';

/** The value of a file. */
export const toValue = (sha256: string, size: number): string => `${sha256} ${size}`;

/** The size that a value states, bytes; NaN when it is not that of a file. */
export const sizeOf = (value: string): number =>
  /^[0-9a-f]{64} \d{1,15}$/.test(value) ? Number(value.slice(65)) : Number.NaN;

/**
 * The listing of some files: a line `VALUE\tPATH` for each, in the order of the paths, by code units.
 * A backslash, a tab and a newline in a path or a target are written as in JSON.
 */
export const composeListing = (files: Iterable<readonly [path: string, value: string]>): string =>
  [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, value]) => `${quote(value)}\t${quote(path)}\n`)
    .join('');

/** Passes on every line of a listing. */
export function eachLine(listing: string, use: (path: string, value: string) => void): void {
  let tab = listing.indexOf('\t');
  for (let start = 0; start < listing.length; ) {
    const newline = listing.indexOf('\n', start);
    const end = newline === -1 ? listing.length : newline;
    // Of a text without tabs each line would be searched to the end of the text.
    if (tab !== -1 && tab < start) tab = listing.indexOf('\t', start);
    if (tab >= start && tab < end) {
      use(unquote(listing.slice(tab + 1, end)), unquote(listing.slice(start, tab)));
    }
    start = end + 1;
  }
}

/** The text of `annex-files.txt`. */
export function composeFiles(packages: Listings, generated: Record<string, string>): string {
  const sections = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  const made = composeListing(Object.entries(generated));
  const listed = sections.map(([path, listing]) => `${path}\n${listing}`);
  return [HEAD, ...listed, ...(made === '' ? [] : [`${GENERATED}\n${made}`])].join('');
}

/** The same read again; undefined when it is of another format, or not whole. */
export function parseFiles(text: string): Files | undefined {
  if (!text.startsWith(HEAD)) return undefined;
  const mark = text.indexOf(`\n${GENERATED}\n`) + 1;
  const end = mark === 0 ? text.length : mark;
  const files: Files = { packages: new Map(), generated: new Map() };
  for (let start = HEAD.length; start < end; ) {
    const from = text.indexOf('\n', start) + 1;
    const path = text.slice(start, from - 1);
    if (from === 0 || !path.startsWith(PACKAGE) || files.packages.has(path)) return undefined;
    // An empty listing: the next package follows at once.
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

/** The most bytes that a listing of locked packages takes in `annex-files.txt`, scripts apart. */
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
 * Puts together which files an entry is to hold: those of its packages, and what scripts have made,
 * changed or removed.
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
 * What no install script can have made: a file that is not in a package whose scripts may run, or
 * below a `node_modules` in one, and a link that leads out of the entry.
 *
 * @param scripts names of those packages
 * @returns its path; undefined when scripts can have made all of it
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

/** Path of the package that a file would be of, whether there is one or not. */
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
