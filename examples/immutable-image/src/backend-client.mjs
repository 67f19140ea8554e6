/**
 * Calls backends in a worker. Loading a large SDK takes a third of a second, during which the gateway could not respond,
 * and an uncaught error of an SDK ends only the worker.
 */
import { Worker } from 'node:worker_threads';

const calls = new Map();
let thread;
let lastId = 0;

function startThread() {
  const started = new Worker(new URL('backend-thread.mjs', import.meta.url));
  let reason = 'its thread ended';
  started.on('message', ({ id, ...answer }) => {
    calls.get(id)?.(answer);
    calls.delete(id);
  });
  started.on('error', (error) => {
    reason = error?.message ?? String(error);
    console.error(`agent: a backend failed: ${reason}`);
  });
  started.on('exit', () => {
    thread = undefined;
    for (const answer of calls.values()) answer({ error: reason });
    calls.clear();
  });
  return started;
}

/**
 * @param {string} feature as in `backends.mjs`
 * @param {unknown} argument passed to the backend as a structured clone
 * @returns {Promise<{ value: unknown } | { refusal: object } | { error: string }>} the result, the reason why the
 * backend is unavailable, or the error
 */
export function callBackend(feature, argument) {
  thread ??= startThread();
  const id = ++lastId;
  return new Promise((resolve) => {
    calls.set(id, resolve);
    thread.postMessage({ id, feature, argument });
  });
}
