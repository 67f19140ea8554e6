/** Reads the versions of packages in a lock. */
import { AnnexError } from '../base/error.ts';
import type { Lookup } from './lookup.ts';
import type { Pin } from './pin.ts';

/** The locked versions of the declared packages: name to version. Empty without a valid lock. */
export function listLocked({ feature, readLock }: Lookup): Record<string, string> {
  const { pin } = readLock();
  const packages = pin === undefined ? {} : readLocked(pin);
  return Object.fromEntries(
    Object.keys(feature.packages).flatMap((name) => {
      const version = packages[`node_modules/${name}`]?.version;
      return version === undefined ? [] : [[name, version]];
    }),
  );
}

/** The packages of a lock; none when its package-lock is invalid, which `annex lock --check` reports. */
export function readLocked(pin: Pin): Record<string, { version?: string }> {
  try {
    return JSON.parse(pin.readPackageLock()).packages;
  } catch (error) {
    if (error instanceof AnnexError) return {};
    throw error;
  }
}
