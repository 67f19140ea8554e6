/** Distinguishes the main thread from workers without node:worker_threads, which would take a twentieth of every start. */

/**
 * Whether this is the main thread. In a worker Node replaces process.chdir by a function that is marked as disabled.
 *
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/process/worker_thread_only.js unavailable
 */
export const isMainThread: boolean =
  (process.chdir as { disabled?: boolean } | undefined)?.disabled !== true;

/** Loads node:worker_threads. */
export const loadThreads = (): typeof import('node:worker_threads') =>
  process.getBuiltinModule('node:worker_threads');
