/** Why a file of a store must not run. */
import type { Feature } from '../settings/feature.ts';
import type { Refusal } from '../types.ts';

/** The hooks of `Module.prototype._compile` are gone. */
export const FROZEN: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'the program froze Module.prototype, and what it loads from a store cannot be verified',
  hint: 'load the feature before that, or set "verify" to "first-use" in the file of ANNEX_CONFIG',
};

/** A path beside the entries of a store. */
export const STRAY: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'that path is in a store, and in no entry',
  hint: 'remove it',
};

/** An entry of a feature that the application does not declare. */
export const UNDECLARED: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'no feature of that name is declared',
  hint: 'remove that directory',
};

/** No other entry may stand in for a damaged one. */
export const refuseRejected = (rejected: string[], { name }: Feature): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: rejected.join('; ') || 'there is no other entry',
  hint: `annex verify ${name}`,
});

/** The sound entry that replaces a damaged one lacks the requested file. */
export const refuseOther = (dir: string): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${dir}, which is whole, does not hold that file`,
  hint: 'start the process again',
});
