/** Finds processes that were left running. Linux only: it reads /proc. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** A running process. */
export interface RunningProcess {
  pid: number;
  /** Its arguments, the program's name first. */
  args: string[];
  cwd: string;
}

/** Whether processes can be listed here. */
export const canListProcesses: boolean = process.platform === 'linux';

/** The running processes with a directory as their working directory or in their arguments. */
export function listProcessesIn(directory: string): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
        const cwd = readlinkSync(`/proc/${name}/cwd`);
        const isIn = [cwd, ...args].some((text) => text.includes(directory));
        return isIn && args.length > 0 ? [{ pid: Number(name), args, cwd }] : [];
      } catch {
        // It has ended, or belongs to another user.
        return [];
      }
    });
}

/** Kills all processes in a directory, and those that they start meanwhile; returns when they have ended. */
export async function killAllIn(directory: string): Promise<void> {
  for (;;) {
    const running = listProcessesIn(directory);
    if (running.length === 0) return;
    for (const { pid } of running) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await setImmediate();
  }
}
