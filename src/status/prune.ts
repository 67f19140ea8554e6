/** Finds the entries of a store that a core no longer needs, and removes them. */
import { lstatSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createLookup, findDeclarationRefusal } from '../app/lookup.ts';
import { isInCore } from '../app/shipped.ts';
import { readAbi } from '../base/abi.ts';
import { toRealPath } from '../base/paths.ts';
import { MANIFEST, PLAIN } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { findEntry } from '../store/entry.ts';
import { sweepKept } from '../store/kept.ts';
import type { Look } from '../store/look.ts';
import { UNMAPPED } from '../store/ownership.ts';
import { GRACE, isPastGrace, retire, sweepRetired, UNNEEDED } from '../store/retire.ts';
import { listStored, type Stored } from '../store/stored.ts';
import { createSurvey } from '../store/survey.ts';
import { hasUnmappedOwner, isOwn } from '../store/unmapped.ts';

/** The verdict on one entry. */
export interface JudgedEntry {
  entry: string;
  feature: string;
  fate: 'keep' | 'retire' | 'delete';
  /** One clause. */
  why: string;
}

/** The age that an entry has to exceed, and the current time: both ms, the latter since the epoch. */
export interface Age {
  age: number;
  now: number;
}

/** The entries that one declared feature needs. */
interface Need {
  /** Why they are unknown: the declaration or the lock is invalid, or a store could not be read. */
  unknown?: string;
  /** Real paths of the entries that fit the declaration, for any ABI. */
  fitting: Set<string>;
  /** What replaces all other entries in this process: an entry, or the copy of the core. */
  replacement?: { entry?: string };
}

const DAY = 24 * 60 * 60_000;

/**
 * Judges every entry of a store by the declaration of a core. Changes nothing.
 *
 * Kept are: the entries that declared features would use, for every ABI in the store; entries that nothing has
 * replaced; entries of other users; entries that this version of annex cannot read. All others are pruned when
 * they were published or replaced longer ago than the age.
 */
export function judgeEntries(
  settings: Settings,
  store: string,
  age: Age,
  look: Look = createSurvey(),
): JudgedEntry[] {
  const all = listStored(store, undefined, look.readManifest);
  const root = toRealPath(store);
  const needs = new Map<string, Need>();
  const names = new Map<string, string>();
  for (const feature of settings.declaration.features.values()) {
    names.set(feature.slug, feature.name);
    const abis = all.flatMap(({ slug, abi }) => (slug === feature.slug ? abi : []));
    // Two features have the same slug, so one is invalid: the entries can belong to either.
    if (abis.length === 0 || needs.get(feature.slug)?.unknown !== undefined) continue;
    needs.set(
      feature.slug,
      findNeed(settings, feature, new Set([readAbi(), PLAIN, ...abis]), look),
    );
  }
  return all.map((stored) => ({
    entry: stored.dir,
    feature: names.get(stored.slug) ?? stored.slug,
    ...judgeStored(stored, needs.get(stored.slug), { store, root, age, look }),
  }));
}

/**
 * Retires and deletes entries by their verdicts, and removes tarballs that were kept for a day.
 *
 * @returns directories of the entries that were deleted
 * @throws errors of the file system; entries that were retired before stay retired
 */
export function pruneEntries(store: string, judged: JudgedEntry[], now: number): string[] {
  for (const { entry, fate, why } of judged) {
    if (fate === 'retire') retire(store, entry, `${UNNEEDED}${why}`);
  }
  sweepKept(store, now);
  return judged.some(({ fate }) => fate === 'delete') ? sweepRetired(store, now) : [];
}

function findNeed(settings: Settings, feature: Feature, abis: Set<string>, look: Look): Need {
  const lookup = createLookup(settings, feature);
  const refusal = findDeclarationRefusal(lookup);
  if (refusal !== undefined) return { unknown: refusal.reason, fitting: new Set() };
  const found = new Map([...abis].map((abi) => [abi, findEntry(lookup, abi, { look })]));
  const unread = [...found.values()].find((each) => each.unread !== undefined)?.unread;
  if (unread !== undefined) return { unknown: unread.reason, fitting: new Set() };
  const chosen = new Map([...found].map(([abi, { entry }]) => [abi, entry?.dir]));
  const fitting = new Set([...chosen.values()].filter((dir) => dir !== undefined));
  if (isInCore(lookup)) return { fitting, replacement: {} };
  const entry = chosen.get(readAbi());
  return { fitting, ...(entry !== undefined && { replacement: { entry } }) };
}

type Verdict = Pick<JudgedEntry, 'fate' | 'why'>;

const keep = (why: string): Verdict => ({ fate: 'keep', why });

/** The store of an entry, also as a real path. */
interface Place {
  store: string;
  root: string;
  age: Age;
  look: Look;
}

function judgeStored(stored: Stored, need: Need | undefined, place: Place): Verdict {
  const { dir, foreign } = stored;
  const { store, root, age, look } = place;
  try {
    const stat = lstatSync(dir);
    if (!stat.isDirectory()) return keep('it is not a directory');
    if (!isOwn(dir, stat)) {
      return keep(`it ${hasUnmappedOwner(dir, stat) ? UNMAPPED : `belongs to uid ${stat.uid}`}`);
    }
    const retired = look.findRetirement(store, dir);
    if (retired !== undefined) return judgeRetired(retired.at, age.now);
    if (foreign !== undefined) return keep(foreign);
    if (need?.unknown !== undefined) return keep(need.unknown);
    if (need?.fitting.has(join(root, relative(store, dir))) === true)
      return keep('it fits the declaration');
    return need === undefined ? judgeUndeclared(dir, age) : judgeReplaced(dir, need, age);
  } catch (error) {
    return keep(`it cannot be read (${codeOf(error)})`);
  }
}

/** An entry that annex prune or any other command retired is deleted after its grace period. */
function judgeRetired(since: number, now: number): Verdict {
  if (isPastGrace(since, now)) return { fate: 'delete', why: 'its grace period is over' };
  return keep(`it is retired, and will be deleted after ${new Date(since + GRACE).toISOString()}`);
}

function judgeUndeclared(dir: string, { age, now }: Age): Verdict {
  const since = readPublished(dir);
  if (now - since <= age) return keep(`not declared, but published ${describeAge(now - since)}`);
  return { fate: 'retire', why: 'no such feature is declared' };
}

/** Counts from its replacement: until then a rollback needed it. */
function judgeReplaced(dir: string, { replacement }: Need, { age, now }: Age): Verdict {
  if (replacement === undefined) return keep('no valid entry replaces it yet');
  const { entry } = replacement;
  const replaced = entry === undefined ? 0 : readPublished(entry);
  const since = Math.max(readPublished(dir), replaced);
  if (now - since <= age) return keep(`replaced, but only ${describeAge(now - since)}`);
  return { fate: 'retire', why: entry === undefined ? 'core ships it' : `${entry} replaces it` };
}

const describeAge = (ms: number): string => `${Math.max(0, Math.floor(ms / DAY))} days ago`;

/**
 * When an entry was published, ms since the epoch. The manifest is the last file written before that, and never changes. The ctime
 * would not do: every chown of a boot hook sets it.
 */
export function readPublished(dir: string): number {
  const manifest = lstatSync(join(dir, MANIFEST), { throwIfNoEntry: false });
  return (manifest ?? lstatSync(dir)).mtimeMs;
}
