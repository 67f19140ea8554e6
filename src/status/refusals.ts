/** Decides whether an install of a feature may start, and explains why not. */
import { join } from 'node:path';
import { findDeclaredRefusal } from '../app/blocked.ts';
import { findLockedRefusal } from '../app/locked-plan.ts';
import { findDeclarationRefusal, type Lookup } from '../app/lookup.ts';
import { findOutsideRefusal } from '../app/shipped.ts';
import { refuseDamage, refuseUnread } from '../base/file-error.ts';
import { pathExists } from '../base/files.ts';
import { isTransient } from '../base/thrown.ts';
import { findHint } from '../registry/hints.ts';
import type { Settings } from '../settings/settings.ts';
import type { FoundEntry } from '../store/entry.ts';
import { describeOutput, findOutput } from '../store/failure-directory.ts';
import { findStoreRefusal } from '../store/writable.ts';
import type { ErrorCode, Refusal } from '../types.ts';
import { findRemembered, type Memory, type Remembered } from './failure-memory.ts';

/**
 * A command of annex, as it is run here. A sealed application may have no npx, and no annex on the PATH.
 *
 * @example nameCommand(settings, 'why exa-js') // 'npx annex why exa-js'
 */
export function nameCommand({ isSealed, core }: Settings, command: string): string {
  if (!isSealed) return `npx annex ${command}`;
  const own = join(core.root, 'node_modules/.bin/annex');
  return `${pathExists(own) ? own : 'annex'} ${command}`;
}

/** The command that installs a feature here. */
export const nameInstallCommand = (settings: Settings, feature: string): string =>
  nameCommand(settings, `install ${feature}`);

/** Hints that change the application. */
const CHANGE =
  /\bnpx annex (?:lock|add|init|remove)\b|\bnpm install\b|\bannex\.(?!json)\w+|\bdeclare|\bensure\(|\bof package\.json\b|\bof the core\b|"scripts"/;

/**
 * Says of a remedy, or of the first of several that applies, that a sealed application is changed in the source
 * of its image.
 */
export function placeRemedy(remedy: string, { isSealed }: Settings): string {
  const remedies = remedy.split(', or ');
  const first = isSealed ? remedies.find((each) => CHANGE.test(each)) : undefined;
  const place = (each: string): string =>
    each === first ? `in the source of the image: ${each}` : each;
  return remedies.map(place).join(', or ');
}

/** A refusal with the remedy for this deployment. */
export const fitRefusal = (refusal: Refusal, settings: Settings): Refusal => ({
  ...refusal,
  hint: placeRemedy(refusal.hint, settings),
});

/**
 * Why no install of a feature may start now; undefined when one may. In this order: a store that cannot be read,
 * the declaration and the lock, the gate, what the core ships, the plan and what is blocked, the store, a
 * remembered failure. An entry that can be restored needs no request, so no failure prevents that. Imports, the API,
 * the commands and the installer get the same answer.
 *
 * @param found the result of the search in the stores
 */
export function findInstallRefusal(
  lookup: Lookup,
  { unread, restorable }: Pick<FoundEntry, 'unread' | 'restorable'>,
  memory: Memory = {},
): Refusal | undefined {
  try {
    return (
      unread ??
      findDeclarationRefusal(lookup) ??
      lookup.settings.gate ??
      findOutsideRefusal(lookup) ??
      findPlanRefusal(lookup) ??
      findStoreRefusal(lookup.settings.store ?? '') ??
      (restorable === undefined ? findMemoryRefusal(lookup, memory) : undefined)
    );
  } catch (error) {
    if (!isTransient(error)) throw error;
    return refuseUnread(error, lookup.settings.core.root);
  }
}

function findPlanRefusal(lookup: Lookup): Refusal | undefined {
  const { pin } = lookup.readLock();
  return pin === undefined ? findDeclaredRefusal(lookup) : findLockedRefusal(lookup, pin);
}

function findMemoryRefusal(lookup: Lookup, memory: Memory): Refusal | undefined {
  const { settings, feature } = lookup;
  const remembered = findRemembered(lookup, memory);
  if (remembered === undefined) return undefined;
  const isOwn = remembered.isStored && remembered.host === undefined;
  const output = isOwn ? findOutput(settings.store ?? '', feature.slug) : undefined;
  return refuseAgain(remembered, nameInstallCommand(settings, feature.name), output);
}

/**
 * Why a feature is unavailable, given why no install may start. Damage counts most. When installs are denied, and
 * when an entry of a layer does not fit, the reason also says why that entry is not used, and the hint what would make one
 * that is.
 *
 * @returns undefined when an install may start, and nothing blocked was found
 */
export function explainAbsence(
  { damaged: [damaged], rejected: [first], blocked, unread, unfit }: FoundEntry,
  install: Refusal | undefined,
): Refusal | undefined {
  const refusal = unread ?? blocked ?? install;
  if (refusal === undefined) return undefined;
  const hint =
    unfit === undefined || refusal.isUnread === true
      ? refusal.hint
      : `${unfit.hint}, or ${refusal.hint}`;
  if (damaged !== undefined) {
    return refuseDamage(damaged, unfit?.isLayer === true ? { ...refusal, hint } : refusal);
  }
  const other = unfit?.reason ?? first;
  const isClosed = ['ANNEX_DENIED', 'ANNEX_STORE_UNUSABLE'].includes(refusal.code);
  const isOfLayer = unfit?.isLayer === true && unfit.reason !== undefined;
  if (refusal.blocked || !(isClosed || isOfLayer)) return refusal;
  const { reason } = refusal;
  return {
    ...refusal,
    reason: other === undefined || reason.includes(other) ? reason : `${reason}, and ${other}`,
    hint,
  };
}

/** Remedies for failures that a store remembers, unless the stored hint contains one of annex's for registries. */
const REMEDIES: Record<ErrorCode, string> = {
  ANNEX_DENIED: 'use a version that is not blocked',
  ANNEX_CONFLICT: 'declare or ship versions that fit',
  ANNEX_OFFLINE: 'check that this machine can reach the registry',
  ANNEX_INTEGRITY: 'find out what alters the packages: a mirror or a proxy',
  ANNEX_NO_SPACE: 'free space on the volume of the store',
  ANNEX_STORE_UNUSABLE: 'make the store a directory that the user of this process can write',
  ANNEX_UNSUPPORTED_PLATFORM: 'use a version that runs here',
  ANNEX_INSTALL_FAILED: 'fix the cause',
  ANNEX_TIMEOUT: 'find out what is slow, or raise "timeout" in the file of ANNEX_CONFIG',
  ANNEX_INVALID_CONFIG: 'correct the settings',
};

/** How far ahead a time is that is shown with its date, ms. */
const FAR = 12 * 3_600_000;

/**
 * A time for a message: `12:04:30 UTC`, or `2026-12-01 12:04:30 UTC` more than 12 hours ahead.
 *
 * @param time ms since the epoch
 */
export function showTime(time: number): string {
  const text = new Date(Math.ceil(time / 1000) * 1000).toISOString();
  const date = time - Date.now() > FAR ? `${text.slice(0, 10)} ` : '';
  return `${date}${text.slice(11, 19)} UTC`;
}

/** Characters of a stored reason that are repeated. */
const MAX_QUOTED = 1_000;

/** Quotes text from a store, so that it cannot pass for a sentence of annex. */
const quote = (text: string): string => JSON.stringify(text.slice(0, MAX_QUOTED));

/**
 * The refusal for a remembered failure, with the time of its next attempt. From a store only the reason is
 * repeated, as a quotation, and a hint that is one of annex's.
 *
 * @param command the command that tries at once
 * @param output file with the output of the install script that failed
 */
export function refuseAgain(
  { failure, host, isStored }: Remembered,
  command: string,
  output?: string,
): Refusal {
  const { until, feature } = failure;
  const { code, reason: stored, hint: given } = failure.refusal;
  const state = `Next try at ${showTime(until)}; other features unaffected`;
  if (!isStored) return { ...failure.refusal, state };
  const isName = /^[\w@./-]{1,214}$/.test(feature);
  const whom = isName ? `for ${feature}` : 'before';
  const what = host === undefined ? 'it failed before' : `${host} failed ${whom}`;
  const remedy =
    output === undefined ? (findHint(given) ?? REMEDIES[code]) : describeOutput(output);
  const hint = `${remedy}, then ${command}`;
  return { code, reason: `${what}: ${quote(stored)}`, hint, state };
}
