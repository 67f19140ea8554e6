/** One lookup of a feature: its lock and the blocked versions, read once and handed on to all that decide about it. */
import { AnnexError } from '../base/error.ts';
import type { Feature } from '../settings/feature.ts';
import { readOperatorBlocked } from '../settings/operator-file.ts';
import type { Settings } from '../settings/settings.ts';
import type { Blocked, Refusal } from '../types.ts';
import { type Pin, readPin } from './pin.ts';

/** The lock of a feature. */
export interface ReadLock {
  /** Whether there is one, valid or not. */
  isLocked: boolean;
  /** Undefined without a lock, and when it is invalid. */
  pin?: Pin;
  /** Why it is invalid, or cannot be read. */
  refusal?: Refusal;
}

/** The facts about a feature that one request needs. Creating a lookup reads nothing. */
export interface Lookup {
  settings: Settings;
  feature: Feature;
  /** Reads the lock; later calls return the same result. */
  readLock: () => ReadLock;
  /** Lists the blocked versions, those in the operator's file included; later calls return the same list. */
  listBlocked: () => Blocked[];
}

/** Creates the lookup of one request for a feature. */
export const createLookup = (settings: Settings, feature: Feature): Lookup => ({
  settings,
  feature,
  readLock: memoize(() => readLock(settings, feature)),
  listBlocked: memoize(() => listBlocked(settings)),
});

/** The same lookup after a wait: it keeps the lock, and reads again what an operator may have changed. */
export const refreshLookup = (lookup: Lookup): Lookup => ({
  ...lookup,
  listBlocked: memoize(() => listBlocked(lookup.settings)),
});

/** The last valid list of an operator's file. */
const valid = new WeakMap<Settings, Blocked[]>();

/**
 * Lists the blocked versions. The operator's file is read again; if that fails, its last valid list is used: a mistake in
 * the file must not allow what this thread knows to be blocked.
 */
export function listBlocked(settings: Settings): Blocked[] {
  const { blocked, operatorFile } = settings;
  if (operatorFile === undefined) return blocked;
  const known = valid.get(settings) ?? blocked.filter(({ by }) => by === operatorFile);
  const declared = blocked.filter(({ by }) => by !== operatorFile);
  const read = readOperatorBlocked(operatorFile, known);
  if (read.isValid) valid.set(settings, read.blocked);
  return [...declared, ...read.blocked];
}

/** Why a feature is off, whatever the stores hold: its declaration or its lock is invalid. */
export const findDeclarationRefusal = ({ feature, readLock }: Lookup): Refusal | undefined =>
  feature.refusal ?? readLock().refusal;

function readLock({ core }: Settings, feature: Feature): ReadLock {
  try {
    const pin = readPin(core.root, feature);
    return pin === undefined ? { isLocked: false } : { isLocked: true, pin };
  } catch (error) {
    if (!(error instanceof AnnexError)) throw error;
    return { isLocked: true, refusal: error.refusal };
  }
}

function memoize<T>(read: () => T): () => T {
  let known: { value: T } | undefined;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}
