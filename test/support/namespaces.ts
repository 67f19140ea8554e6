/** Processes in separate namespaces, as in other containers: with util-linux, if permitted. */
import { spawnSync } from 'node:child_process';

/** Process 1 of a pid namespace with its own /proc. */
export const OTHER_PIDS = ['unshare', '--pid', '--fork', '--mount-proc'] as const;

/** The same without it: process ids mean nothing, as on systems without /proc. */
export const NO_PROC = ['unshare', '--pid', '--fork'] as const;

/** The same process ids, and clocks that are a day ahead. */
export const OTHER_CLOCKS = [
  'unshare',
  '--fork',
  ...['--time', '--monotonic', '86400', '--boottime', '86400'],
] as const;

/** Whether a program can be started this way. */
export function canUnshare([command, ...flags]: readonly [string, ...string[]]): boolean {
  return spawnSync(command, [...flags, 'true'], { stdio: 'ignore' }).status === 0;
}
