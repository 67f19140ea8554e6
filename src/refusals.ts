/** Whether an install of a feature may start now, and if not, why. */
import { findBlockedRefusal, listBlocked } from './blocked.ts';
import { refuseDamage } from './errors.ts';
import { findRemembered, type Remembered } from './memory.ts';
import { type Pin, readPin } from './sidecar.ts';
import { findStoreRefusal } from './store/access.ts';
import type { FoundEntry } from './store/entry.ts';
import type { Failure } from './store/failures.ts';
import type { Feature, Refusal, Settings } from './types.ts';

/** What a person types here to install a feature. */
export function nameInstallCommand(settings: Settings, feature: string): string {
  return settings.isSealed ? `annex install ${feature}` : `npx annex install ${feature}`;
}

/** What is wrong with a feature's declaration, as a refusal. */
export function findDeclarationProblem(
  { core }: Settings,
  { problem }: Feature,
): Refusal | undefined {
  if (problem === undefined) return undefined;
  return {
    code: 'ANNEX_INVALID_CONFIG',
    reason: `${problem.key} in ${core.root}/package.json: ${problem.reason}`,
    hint: 'whoever builds the application can correct that key',
  };
}

/** Why a feature is off whatever the store holds: its declaration, or its lock, is wrong. */
export function findDeclarationRefusal(settings: Settings, feature: Feature): Refusal | undefined {
  const pin = readFeature(settings, feature);
  return pin !== undefined && 'code' in pin ? pin : undefined;
}

/** The lock of a feature, or why the feature is off; undefined when it is declared and not locked. */
function readFeature(settings: Settings, feature: Feature): Pin | Refusal | undefined {
  const declared = findDeclarationProblem(settings, feature);
  if (declared !== undefined) return declared;
  const pin = readPin(settings.core.root, feature);
  if (pin === undefined || !('problem' in pin)) return pin;
  return {
    code: 'ANNEX_INVALID_CONFIG',
    reason: pin.problem,
    hint: `whoever builds the application can lock it anew: npx annex lock ${feature.name}`,
  };
}

/**
 * Why no install of this feature may start now; undefined when one may. The declaration, the gate,
 * what is blocked of the locked packages, the store, then what is remembered of the last failure.
 * Imports, the API, the commands and the installer itself all ask here.
 *
 * @param local the failure that this thread itself remembers (a store may be unwritable)
 * @param since failures before this do not count, ms since the epoch: somebody wants it tried again
 */
export function findInstallRefusal(
  settings: Settings,
  feature: Feature,
  local?: Failure,
  since = 0,
): Refusal | undefined {
  const pin = readFeature(settings, feature);
  if (pin !== undefined && 'code' in pin) return pin;
  if (!settings.gate.isAllowed) return settings.gate.refusal;
  const blocked = pin && findLockedRefusal(settings, feature, pin);
  if (blocked !== undefined) return blocked;
  const unusable = findStoreRefusal(settings.store ?? '');
  if (unusable !== undefined) return unusable;
  const remembered = findRemembered(settings, feature, local, since);
  return remembered && refuseAgain(remembered, nameInstallCommand(settings, feature.name));
}

/**
 * Why a locked feature holds what is blocked. Only what every platform installs is looked at: what
 * is left out on some of them is known when the installer has planned.
 */
function findLockedRefusal(
  settings: Settings,
  feature: Feature,
  { sidecar, lock }: Pin,
): Refusal | undefined {
  const blocked = listBlocked(settings);
  if (blocked.length === 0) return undefined;
  const { packages } = JSON.parse(lock) as { packages: Record<string, Locked | undefined> };
  const everywhere = Object.keys(sidecar.packages).flatMap((path) => {
    const { version, os, cpu, libc, optional, ...rest } = packages[path] ?? {};
    const { name = path.slice(path.lastIndexOf('node_modules/') + 13) } = rest;
    const isEverywhere = (os ?? cpu ?? libc ?? optional) === undefined;
    return isEverywhere && version !== undefined ? { name, version } : [];
  });
  return findBlockedRefusal(settings, feature, everywhere, { isLocked: true, blocked });
}

interface Locked {
  name?: string;
  version?: string;
  os?: unknown;
  cpu?: unknown;
  libc?: unknown;
  optional?: unknown;
}

/**
 * Why a feature is not to be had, given why no install may start: what is damaged counts most, and
 * who may not install wants to know why what stands there will not do, after an upgrade most of all.
 */
export function refuseAbsent(
  { damaged: [damaged], rejected: [other] }: Pick<FoundEntry, 'damaged' | 'rejected'>,
  refusal: Refusal,
): Refusal {
  if (damaged !== undefined) return refuseDamage(damaged, refusal);
  const isClosed = ['ANNEX_DENIED', 'ANNEX_STORE_UNUSABLE'].includes(refusal.code);
  const isUnfit = other !== undefined && isClosed && !refusal.blocked;
  if (!isUnfit || refusal.reason.includes(other)) return refusal;
  return { ...refusal, reason: `${refusal.reason}, and ${other}` };
}

/**
 * A remembered failure as a refusal that says when it may be tried again.
 *
 * @param command what a person types to try at once
 */
export function refuseAgain({ failure, host }: Remembered, command: string): Refusal {
  const { refusal, until, feature } = failure;
  const at = new Date(Math.ceil(until / 1000) * 1000).toISOString().slice(11, 19);
  const state = `Next try at ${at} UTC; other features unaffected`;
  if (host === undefined) return { ...refusal, state };
  const reason = `${host} failed for ${feature}: ${refusal.reason}`;
  return { ...refusal, reason, hint: `${refusal.hint}, then ${command}`, state };
}
