/** Shows the installs of this process while they run: live lines on a terminal, elsewhere a line every ten seconds. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { currentEnv } from '../base/environment.ts';
import { createLog, type Log, type LogLevel } from '../base/log.ts';
import { describeProgress, type Progress } from './progress.ts';

/** An install that is shown. */
interface Shown {
  feature: string;
  progress: Progress;
  /** The step that was seen last, and when it began, in milliseconds. */
  step: string;
  since: number;
}

/** Milliseconds between two lines of a log. */
const PERIOD = 10_000;
/** Milliseconds between two drawings on a terminal. */
const FRAME = 100;

const shown = new Set<Shown>();
let timer: NodeJS.Timeout | undefined;
let drawn = 0;

/**
 * Shows an install until the returned function is called. The level `error` and lower show nothing.
 *
 * @example const hide = showProgress('exa-js', progress, 'info')
 */
export function showProgress(feature: string, progress: Progress, level: LogLevel): () => void {
  if (level === 'silent' || level === 'error') return () => {};
  const one: Shown = { feature, progress, step: '', since: performance.now() };
  shown.add(one);
  const isLive = isTerminal(level);
  const log = createLog(level);
  timer ??= setInterval(isLive ? draw : () => writeAll(log), isLive ? FRAME : PERIOD);
  timer.unref();
  return () => {
    erase();
    shown.delete(one);
    if (shown.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Creates a log whose lines stand above the live lines. */
export function createShownLog(level: LogLevel): Log {
  const log = createLog(level);
  return (...line) => {
    erase();
    log(...line);
  };
}

const isTerminal = (level: LogLevel): boolean =>
  level !== 'json' && currentEnv().TERM !== 'dumb' && isatty(2);

function writeAll(log: Log): void {
  for (const { feature, progress } of shown) {
    log('info', `annex: ${feature}: ${describeProgress(progress)}`, {
      event: 'install.progress',
      feature,
      bytes: progress.bytes.done,
    });
  }
}

function draw(): void {
  const width = (process.stderr.columns ?? 80) - 1;
  const lines = [...shown].map((one) => cutClauses(describe(one), width));
  write(`${eraser()}${lines.join('\n')}\n`);
  drawn = lines.length;
}

function describe(one: Shown): string {
  const { feature, progress } = one;
  if (one.step !== progress.step)
    Object.assign(one, { step: progress.step, since: performance.now() });
  return `annex: ${feature}: ${describeProgress(progress, (performance.now() - one.since) / 1000)}`;
}

/** As many clauses as fit on a line. */
function cutClauses(line: string, width: number): string {
  if (line.length <= width) return line;
  const end = line.lastIndexOf(', ', width);
  return line.slice(0, end === -1 ? width : end);
}

function erase(): void {
  if (drawn > 0) write(eraser());
  drawn = 0;
}

/** Moves the cursor to the first live line, and clears the screen from there. */
const eraser = (): string => (drawn === 0 ? '' : `\x1b[${drawn}A\r\x1b[J`);

function write(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // An install goes on when nobody sees its progress.
  }
}
