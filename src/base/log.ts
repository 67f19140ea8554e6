/** Writes lines to stderr synchronously, so that they survive a blocked thread and an early exit. */
import { writeSync } from 'node:fs';
import type { ErrorCode } from '../types.ts';
import { showOutput } from './messages.ts';
import { codeOf } from './thrown.ts';

export type LogLevel = 'silent' | 'error' | 'info' | 'debug' | 'json';

/** Severity of a line. */
export type Severity = 'error' | 'info' | 'debug';

/** What a line reports. */
export type LogEvent =
  | 'install.start'
  | 'install.wait'
  | 'install.progress'
  | 'install.end'
  /** An install ends with its asker, or a feature that failed is not tried again. */
  | 'install.stop'
  /** A feature that failed is tried again later. */
  | 'install.retry'
  /** An install script that is not allowed did not run. */
  | 'install.script'
  /** An install stopped a thread for seconds. */
  | 'install.block'
  /** A feature is unavailable. */
  | 'refuse'
  /** An entry is damaged. */
  | 'damage'
  /** The decision on one request. */
  | 'resolve'
  /** A setting or the declaration is invalid. */
  | 'settings'
  | 'store'
  /** The loader is not active, or has a fault. */
  | 'loader';

/** The facts of a line, which `ANNEX_LOG=json` writes beside its text. */
export interface Facts {
  event: LogEvent;
  feature?: string | undefined;
  code?: ErrorCode | undefined;
  /** Of a feature with one package: `1.10.2`. Of several: `a 1.0.0, b 2.1.0`. */
  version?: string | undefined;
  /** Hosts, separated by commas. */
  registry?: string | undefined;
  ms?: number;
  /** Size of an entry. */
  bytes?: number;
  store?: string | undefined;
}

/** Writes a line if the level includes its severity. */
export type Log = (severity: Severity, message: string, facts: Facts) => void;

const RANK = { error: 1, info: 2, debug: 3 };
const ALLOWED: Record<LogLevel, number> = { silent: 0, error: 1, info: 2, json: 2, debug: 3 };

/**
 * Creates a logger of one level. Ignores a line that cannot be written, because stderr is closed or full.
 *
 * @example createLog('info')('error', 'annex: no store', { event: 'store' }) // a line on stderr
 */
export function createLog(level: LogLevel): Log {
  return (severity, message, facts) => {
    if (RANK[severity] > ALLOWED[level]) return;
    const line = level === 'json' ? composeJson(severity, message, facts) : message;
    try {
      writeSync(2, `${showOutput(line)}\n`);
    } catch {
      // A server must not block or fail because nobody reads its stderr.
    }
  };
}

const composeJson = (level: Severity, message: string, facts: Facts): string =>
  JSON.stringify({
    time: new Date().toISOString(),
    level,
    ...facts,
    pid: process.pid,
    message,
  });

/**
 * Writes the output of a command without the streams of the process, which cost 5 ms each. Escapes invisible
 * characters. Ignores a closed pipe: `annex list | head -1`.
 *
 * @param file 1 for stdout, 2 for stderr
 */
export function writeLine(file: 1 | 2, line: string): void {
  const bytes = Buffer.from(`${showOutput(line)}\n`);
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
