/** A clock that jumps from timer to timer, so that no test waits or depends on the speed of the machine. */
import type { Clock } from '../../src/store/lock.ts';

interface Timer {
  at: number;
  fire: () => void;
}

/** Starts at 0. All consequences of a timer run before the next one fires. */
export function createClock(): Clock {
  const timers = new Set<Timer>();
  let now = 0;
  let isRunning = false;
  const fireNext = (): void => {
    const [next] = [...timers].sort((a, b) => a.at - b.at);
    isRunning = next !== undefined;
    if (next === undefined) return;
    timers.delete(next);
    now = next.at;
    next.fire();
    setImmediate(fireNext);
  };
  const start = (ms: number, fire: () => void): Timer => {
    const timer = { at: now + ms, fire };
    timers.add(timer);
    if (!isRunning) setImmediate(fireNext);
    isRunning = true;
    return timer;
  };
  return {
    now: () => now,
    sleep: (ms) => new Promise<void>((resolve) => start(ms, resolve)),
    repeat: (ms, action) => {
      const run = (): void => {
        timer = start(ms, run);
        action();
      };
      let timer = start(ms, run);
      return () => timers.delete(timer);
    },
  };
}
