/** Writes lines to stderr synchronously, so that they survive a blocked thread and an early exit. */
import { writeSync } from 'node:fs';
import { codeOf } from './thrown.ts';

export type LogLevel = 'silent' | 'error' | 'info' | 'debug' | 'json';

/** Severity of a line. */
export type Severity = 'error' | 'info' | 'debug';

/** Writes a line if the level includes its severity. */
export type Log = (severity: Severity, message: string) => void;

const RANK = { error: 1, info: 2, debug: 3 };
const ALLOWED: Record<LogLevel, number> = { silent: 0, error: 1, info: 2, json: 2, debug: 3 };

/**
 * Creates a logger of one level. Ignores a line that cannot be written, because stderr is closed or full.
 *
 * @example createLog('info')('error', 'annex: no store') // a line on stderr
 */
export function createLog(level: LogLevel): Log {
  return (severity, message) => {
    if (RANK[severity] > ALLOWED[level]) return;
    const line = level === 'json' ? JSON.stringify({ level: severity, message }) : message;
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // A server must not block or fail because nobody reads its stderr.
    }
  };
}

/**
 * Writes a line of a command without the streams of the process, which cost 5 ms each. Ignores a closed
 * pipe: `annex list | head -1`.
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
      // A full non-blocking pipe: its reader needs a moment.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
