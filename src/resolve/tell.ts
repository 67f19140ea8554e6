/** Writes why a feature is unavailable to stderr, for programs that swallow or replace the error. */
import type { AnnexError } from '../base/error.ts';
import { createLog } from '../base/log.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Writes one line about a request that failed.
 *
 * @param isNews whether something went wrong just now (an install, a damaged file): that is worth a
 *   line each time
 */
export type Tell = (feature: Feature, cause: AnnexError, isNews: boolean) => void;

/** Returns true for the first caller in all threads of the process, for each feature. */
export function isFirstToTell({ declaration, reported }: Settings, { name }: Feature): boolean {
  const index = [...declaration.features.keys()].indexOf(name);
  return Atomics.exchange(new Uint8Array(reported), index, 1) === 0;
}

/**
 * Makes the one place at which failed requests are reported: what went wrong just now as an error;
 * everything else (denials, probes, remembered failures) as information, once for each feature in all
 * threads of the process.
 */
export function createTell(settings: Settings): Tell {
  const log = createLog(settings.log);
  return (feature, { message }, isNews) => {
    const isFirst = isFirstToTell(settings, feature);
    if (isNews) log('error', message);
    else if (isFirst) log('info', message);
  };
}
