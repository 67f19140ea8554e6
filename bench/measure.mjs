/** Runs a process and measures its time and the peak memory of its process tree. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/**
 * Memory is the highest peak of any process in the tree (VmHWM, which only grows, read every 10 ms);
 * NaN without /proc.
 * @param {{ argv: string[], cwd: string, env: Record<string, string>, log: string, untilLine?: boolean }} what
 *   `untilLine`: measures until the first output instead of the exit
 * @returns {Promise<{ ms: number, peak: number }>} milliseconds, and MB
 * @throws when the process fails, with the end of its output
 */
export async function measure({ argv: [file, ...args], cwd, env, log, untilLine = false }) {
  const output = openSync(log, 'w');
  const stdio = ['ignore', untilLine ? 'pipe' : output, output];
  const start = performance.now();
  const child = spawn(file, args, { cwd, env, stdio });
  const line = new Promise((resolve) => {
    child.stdout?.once('data', () => resolve(performance.now()));
  });
  const peaks = new Map();
  recordPeaks(child.pid, peaks);
  const timer = setInterval(() => recordPeaks(child.pid, peaks), 10);
  const [code, end] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve([status ?? signal, performance.now()]));
  });
  clearInterval(timer);
  closeSync(output);
  if (code !== 0) {
    const said = readFileSync(log, 'utf8').slice(-2000);
    throw new Error(`${[file, ...args].join(' ')} ended with ${code}\n${said}`);
  }
  const until = untilLine ? await line : end;
  return { ms: until - start, peak: peaks.size > 0 ? Math.max(...peaks.values()) : Number.NaN };
}

/** Records the peak memory of a process and its children while they run. */
function recordPeaks(pid, peaks) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = /^VmHWM:\s*(\d+)/m.exec(status)?.[1];
    if (kilobytes !== undefined) peaks.set(pid, Number(kilobytes) / 1024);
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(join(`/proc/${pid}/task`, task, 'children'), 'latin1');
      for (const child of children.split(' ').filter(Boolean)) recordPeaks(child, peaks);
    }
  } catch {
    // The process has ended meanwhile.
  }
}
