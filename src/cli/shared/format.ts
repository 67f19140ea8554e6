/** Formats sizes, ages, versions and counts, and makes texts of other people safe to print. */
import { redact, showName } from '../../base/messages.ts';

/** The note on an entry whose files annex does not hash: see `Finder.isSealed`. */
export const NOT_HASHED = 'not hashed: a layer as trusted as core';

/** @example formatSize(1_234_567) // '1.2 MB' */
export const formatSize = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

/** Largest unit first: its length in ms. */
const UNITS = [
  ['d', 24 * 60 * 60_000],
  ['h', 60 * 60_000],
  ['min', 60_000],
] as const;

/** @example formatAge(90 * 60_000) // '1 h' */
export function formatAge(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms >= each) ?? ['min', 60_000];
  return `${Math.max(0, Math.floor(ms / length))} ${unit}`;
}

/** 9999-12-31, ms since the epoch. */
const MAX_TIME = 253_402_214_400_000;

/**
 * Formats ms since the epoch in ISO 8601. The clock of a hostile volume can be outside of what a date can be.
 *
 * @example formatTime(0) // '1970-01-01T00:00:00.000Z'
 */
export const formatTime = (ms: number): string =>
  new Date(Math.min(Math.max(ms, 0), MAX_TIME)).toISOString();

/** @example formatVersions({ zod: '4.1.0' }) // 'zod 4.1.0' */
export const formatVersions = (versions: Record<string, string>): string =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');

/** @example plural(2, 'entry') // '2 entries' */
export const plural = (count: number, noun: string): string =>
  `${count} ${count === 1 ? noun : `${noun}s`.replace(/([^aeiou])ys$/, '$1ies')}`;

/** @example joinOr(['bash', 'zsh', 'fish']) // 'bash, zsh or fish' */
export const joinOr = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ');

/** Removes credentials and control characters from a text that can come from a store, a registry or a path. */
export const cleanText = (text: string): string => showName(redact(text));
