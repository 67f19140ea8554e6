/** Counts the installs of this process, and writes the state of its features for Prometheus. */
import { composeMetrics, onEvent, status } from 'annex';

export const CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * Counts from now on.
 *
 * @returns {() => string} composes the answer to a request for /metrics
 */
export function countForPrometheus() {
  /** @type {Record<string, import('annex').InstallCounts>} */
  const counts = {};
  /** When installs that have not ended began. */
  const started = new Map();
  onEvent(({ event, trace }) => {
    if (event === 'install.start') started.set(trace, performance.now());
    if (event !== 'install.end') return;
    counts[trace.feature] ??= { installed: 0, waited: 0, failed: {}, seconds: 0 };
    const count = counts[trace.feature];
    count.seconds += (performance.now() - (started.get(trace) ?? performance.now())) / 1000;
    started.delete(trace);
    const { error } = trace;
    if (error) count.failed[error.code] = (count.failed[error.code] ?? 0) + 1;
    else if (trace.result?.outcome === 'present') count.waited += 1;
    else count.installed += 1;
  });
  return () => composeMetrics(status(), counts);
}
