/** Lines on stderr; written at once, so that they survive a blocked thread and an early exit. */
import { writeSync } from 'node:fs';
import { codeOf } from './thrown.ts';

export type LogLevel = 'silent' | 'error' | 'info' | 'debug' | 'json';

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
      // Nobody is left to be told, and no server waits for whoever should read it.
    }
  };
}

/**
 * Writes a line of a command past the streams of the process, which cost 5 ms each. What nobody reads
 * any more is lost: `annex list | head -1`.
 *
 * @param file 1 for stdout, 2 for stderr
 */
export function writeLine(file: 1 | 2, line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(file, bytes, done);
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') return;
      // A pipe that is full and does not block: whoever reads it needs a moment.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
