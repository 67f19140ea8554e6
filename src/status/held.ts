/** The state of each entry in the store and its layers, for the commands that list them. */
import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { createLookup, findDeclarationRefusal, type Lookup } from '../app/lookup.ts';
import { isInCore } from '../app/shipped.ts';
import { readAbi } from '../base/abi.ts';
import { refuseUnread } from '../base/file-error.ts';
import { PLAIN } from '../base/store-layout.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { listStores } from '../store/access.ts';
import { findForgery } from '../store/contents.ts';
import { findEntry, findPinned, judgeEntry, type Known, type Unfitness } from '../store/entry.ts';
import type { Look } from '../store/look.ts';
import { GRACE } from '../store/retire.ts';
import { listStored, type Stored } from '../store/stored.ts';
import { createSurvey } from '../store/survey.ts';

/**
 * `current` is the entry that this Node uses; `replaced` fits, and another one or core's copy is used; `other Node`
 * fits another ABI.
 * Of the rest no process of this application uses one.
 */
export type HeldState = 'current' | 'replaced' | 'other Node' | 'undeclared' | Unfitness;

/** Every state: what is used comes first. */
export const STATES: readonly HeldState[] = [
  ...(['current', 'other Node', 'replaced', 'other lock', 'other declaration'] as const),
  ...([
    'undeclared',
    'retired',
    'blocked',
    'damaged',
    'unreadable',
    'not trusted',
    'noexec',
  ] as const),
];

/** An entry of a store or a layer. */
export interface HeldEntry {
  stored: Stored;
  /** The store or the layer, as configured. */
  store: string;
  isLayer: boolean;
  state: HeldState;
  /** One clause, where the state leaves out why. */
  why?: string;
  /** Of a retired entry: when it may be deleted, ms since the epoch. */
  until?: number;
}

/**
 * Judges every entry of the store and its layers, as imports of this application do. Changes nothing.
 *
 * @param only the feature to list; by default all entries, those of undeclared features too
 */
export function listHeld(
  settings: Settings,
  only?: Feature,
  { damages, look = createSurvey() }: Known = {},
): HeldEntry[] {
  const features = only === undefined ? [...settings.declaration.features.values()] : [only];
  const lookups = new Map(features.map((one) => [one.slug, createLookup(settings, one)]));
  const known = { damages, look };
  const chosen = new Set(
    [...lookups.values()].flatMap((lookup) => findEntry(lookup, readAbi(), known).entry?.dir ?? []),
  );
  return listStores(settings).flatMap((store) =>
    listStored(store, only?.slug, look.readManifest).map((stored) => ({
      stored,
      store,
      isLayer: store !== settings.store,
      ...judge(stored, store, { lookup: lookups.get(stored.slug), chosen, known }),
    })),
  );
}

type Verdict = Pick<HeldEntry, 'state' | 'why' | 'until'>;

function judge(
  stored: Stored,
  store: string,
  {
    lookup,
    chosen,
    known,
  }: { lookup: Lookup | undefined; chosen: Set<string>; known: Known & { look: Look } },
): Verdict {
  const { dir: path, abi } = stored;
  try {
    if (!lstatSync(path).isDirectory())
      return { state: 'not trusted', why: 'it is not a directory' };
    const retired = known.look.findRetirement(store, path);
    if (retired !== undefined) {
      return { state: 'retired', why: retired.reason, until: retired.at + GRACE };
    }
    if (stored.foreign !== undefined) return { state: 'unreadable', why: stored.foreign };
    if (lookup === undefined) return { state: 'undeclared' };
    const refusal = findDeclarationRefusal(lookup);
    if (refusal !== undefined) return { state: 'other declaration', why: refusal.reason };
    const isOther = abi !== PLAIN && abi !== readAbi();
    const pinned = findPinned(lookup, abi === PLAIN ? readAbi() : abi);
    const judgement = judgeEntry({ lookup, store, path, pinned, known });
    if ('entry' in judgement) {
      const sidecar = lookup.readLock().pin?.sidecar;
      const forgery = sidecar && findForgery(path, judgement.entry.manifest, sidecar);
      if (forgery !== undefined) return { state: 'damaged', why: forgery };
      if (isOther) return { state: 'other Node', why: `it is for ${abi}` };
      if (!chosen.has(judgement.entry.dir)) return { state: 'replaced' };
      return isInCore(lookup) ? { state: 'replaced', why: 'core ships it' } : { state: 'current' };
    }
    const { state, reason } = judgement;
    return { state, why: toClause(reason, path) };
  } catch (error) {
    return { state: 'unreadable', why: refuseUnread(error, basename(path)).reason };
  }
}

/** A reason without the path that it starts with. */
const toClause = (reason: string, path: string): string =>
  reason.startsWith(`${path}: `) ? reason.slice(path.length + 2) : reason.replace(path, 'it');
