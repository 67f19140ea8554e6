/** Reports on stderr why a feature is unavailable, for programs that swallow or replace the error. */

import { publishRefusal } from '../base/channels.ts';
import type { AnnexError } from '../base/error.ts';
import { createLog } from '../base/log.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Reports a request that failed, on one line.
 *
 * @param isNew whether it failed just now (an install, a damaged file): each time is reported
 */
export type Report = (feature: Feature, cause: AnnexError, isNew: boolean) => void;

/** Whether no thread of the process has reported the mistakes in the settings; they count as reported from now on. */
export const isFirstNotice = ({ reported }: Settings): boolean => claim(reported, 0);

/** Whether no thread of the process has reported the feature; it counts as reported from now on. */
export function isFirstReport({ declaration, reported }: Settings, { name }: Feature): boolean {
  return claim(reported, 1 + [...declaration.features.keys()].indexOf(name));
}

const claim = (reported: SharedArrayBuffer, index: number): boolean =>
  Atomics.exchange(new Uint8Array(reported), index, 1) === 0;

/**
 * Creates the reporter of failed requests. New failures are errors. Everything else (denials, probes,
 * remembered failures) is information, reported once for each feature in all threads of the process.
 */
export function createReporter(settings: Settings): Report {
  const log = createLog(settings.log);
  return (feature, { message, refusal, specifier }, isNew) => {
    const { code, reason, hint } = refusal;
    publishRefusal({ feature: feature.name, code, reason, hint, specifier });
    const isFirst = isFirstReport(settings, feature);
    if (!isNew && !isFirst) return;
    log(isNew ? 'error' : 'info', message, {
      event: 'refuse',
      feature: feature.name,
      code,
      registry: refusal.host,
      store: settings.store,
    });
  };
}
