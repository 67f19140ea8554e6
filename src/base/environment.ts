/** The only reader of process.env. */
import { isAbsolute, join } from 'node:path';

/** Environment variables by name. */
export type Variables = Record<string, string | undefined>;

/** The current variables of this thread. */
export const currentEnv = (): Variables => process.env;

/** Marks an installer process. Any other program that finds it set was started by mistake. */
export const GUARD = 'ANNEX_INSTALLER';

/** Whether this process was started by annex to install something. */
export const isInstaller = (env: Variables = currentEnv()): boolean => env[GUARD] !== undefined;

/** Variables besides those of annex that count as they were when the process started. */
const STARTING = ['HOME', 'XDG_CACHE_HOME', 'NODE_OPTIONS'];

/** Copies the variables that count as they were when the process started: those of annex and a few of Node. */
export function captureEnv(): Variables {
  const env = currentEnv();
  const captured: Variables = {};
  for (const name of Object.keys(env)) {
    const isCaptured =
      name.startsWith('ANNEX_') || name.startsWith('NODE_PRESERVE_') || STARTING.includes(name);
    if (isCaptured) captured[name] = env[name];
  }
  return captured;
}

/** The cache directory of the user; undefined for a user without a home directory. */
export function findCacheDir(env: Variables = currentEnv()): string | undefined {
  const { XDG_CACHE_HOME: cache, HOME: home } = env;
  if (cache !== undefined && isAbsolute(cache)) return cache;
  return home !== undefined && isAbsolute(home) ? join(home, '.cache') : undefined;
}
