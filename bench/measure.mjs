/** Runs one whole process and tells how long it took and how much memory its tree held at most. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/**
 * Memory is the largest peak of any process in the tree (VmHWM, which only grows, read every 10 ms);
 * NaN where there is no /proc.
 * @param {{ argv: string[], cwd: string, env: Record<string, string>, log: string, untilLine?: boolean }} what
 *   `untilLine`: the time is that of the first output; otherwise that of the exit
 * @returns {Promise<{ ms: number, peak: number }>} milliseconds, and MB
 * @throws when the process fails, with the end of what it said
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
  look(child.pid, peaks);
  const timer = setInterval(() => look(child.pid, peaks), 10);
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

/** Notes the peak of a process and of its children, as long as they are there. */
function look(pid, peaks) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = /^VmHWM:\s*(\d+)/m.exec(status)?.[1];
    if (kilobytes !== undefined) peaks.set(pid, Number(kilobytes) / 1024);
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(join(`/proc/${pid}/task`, task, 'children'), 'latin1');
      for (const child of children.split(' ').filter(Boolean)) look(child, peaks);
    }
  } catch {
    // It has ended in between.
  }
}
