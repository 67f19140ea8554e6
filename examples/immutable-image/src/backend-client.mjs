/**
 * Calls backends in a thread of their own: loading a large SDK takes a third of a second, in which the gateway would
 * answer nobody; and an SDK that throws where nobody catches it ends that thread only.
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
 * @param {unknown} argument of the backend; it is cloned
 * @returns {Promise<{ value: unknown } | { refusal: object } | { error: string }>} what it answered, why it cannot be
 * had, or how it failed
 */
export function callBackend(feature, argument) {
  thread ??= startThread();
  const id = ++lastId;
  return new Promise((resolve) => {
    calls.set(id, resolve);
    thread.postMessage({ id, feature, argument });
  });
}
