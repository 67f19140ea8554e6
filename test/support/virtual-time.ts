/** A clock that jumps to the next wake-up, in place of the monotonic clock of this process. */
import { setImmediate } from 'node:timers/promises';
import { onTestFinished, vi } from 'vitest';

/** Virtual time: ms since the start. */
export interface VirtualTime {
  now(): number;
  wait(ms: number): Promise<void>;
  /** Runs until all promises are settled. */
  run(all: Promise<unknown>[]): Promise<void>;
}

/** Replaces `performance.now` and, by a sequence that a seed repeats, `Math.random` for the running test. */
export function openVirtualTime(seed: number): VirtualTime {
  let time = 0;
  let state = seed;
  const sleeping: { at: number; wake: () => void }[] = [];
  vi.spyOn(performance, 'now').mockImplementation(() => time);
  vi.spyOn(Math, 'random').mockImplementation(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  });
  onTestFinished(() => void vi.restoreAllMocks());
  return {
    now: () => time,
    wait: (ms) =>
      ms === 0
        ? Promise.resolve()
        : new Promise((wake) => {
            sleeping.push({ at: time + ms, wake });
          }),
    async run(all) {
      let isDone = false;
      const done = Promise.all(all).finally(() => {
        isDone = true;
      });
      for (;;) {
        await setImmediate();
        sleeping.sort((a, b) => a.at - b.at);
        const next = sleeping.shift();
        if (isDone || next === undefined) break;
        time = Math.max(time, next.at);
        next.wake();
      }
      await done;
    },
  };
}
