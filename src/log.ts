/** Lines on stderr; written at once, so that they survive a blocked thread and an early exit. */
import { writeSync } from 'node:fs';
import type { LogLevel } from './types.ts';

/** Importance of one line. */
export type Severity = 'error' | 'info' | 'debug';

/** Writes one line if the level lets it through. */
export type Log = (severity: Severity, message: string) => void;

const RANK = { error: 1, info: 2, debug: 3 };
const ALLOWED: Record<LogLevel, number> = { silent: 0, error: 1, info: 2, json: 2, debug: 3 };

/**
 * A logger of one level. A line that cannot be written (stderr closed or full) is lost, and nothing
 * else happens.
 *
 * @example createLog('info')('error', 'annex: nothing to see') // a line on stderr
 */
export function createLog(level: LogLevel): Log {
  return (severity, message) => {
    if (RANK[severity] > ALLOWED[level]) return;
    const line = level === 'json' ? JSON.stringify({ level: severity, message }) : message;
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // Nobody is left to be told.
    }
  };
}
