/** What is wrong with packages themselves, in our codes. */
import type { Refusal } from '../types.ts';

/** Something about the packages keeps them from being installed. */
export const refuseInstall = (reason: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason,
  hint: 'look at what the registry serves under that name',
});

/** Bytes that cannot be, or are not, what they should be. */
export const refuseIntegrity = (reason: string): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason,
  hint: 'find out which registry or mirror serves other bytes than it lists',
});
