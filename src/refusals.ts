/** Whether an install of a feature may start now, and if not, why. */
import { findRemembered, type Remembered } from './memory.ts';
import { readPin } from './sidecar.ts';
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
  const declared = findDeclarationProblem(settings, feature);
  if (declared !== undefined) return declared;
  const pin = readPin(settings.core.root, feature);
  if (pin === undefined || !('problem' in pin)) return undefined;
  return {
    code: 'ANNEX_INVALID_CONFIG',
    reason: pin.problem,
    hint: `whoever builds the application can lock it anew: npx annex lock ${feature.name}`,
  };
}

/**
 * Why no install of this feature may start now; undefined when one may. The declaration, the gate,
 * then what is remembered of the last failure.
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
  const declared = findDeclarationRefusal(settings, feature);
  if (declared !== undefined) return declared;
  if (!settings.gate.isAllowed) return settings.gate.refusal;
  const remembered = findRemembered(settings, feature, local, since);
  return remembered && refuseAgain(remembered, nameInstallCommand(settings, feature.name));
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
