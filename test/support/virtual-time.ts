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
  // Mulberry32: neighbouring seeds have different sequences.
  vi.spyOn(Math, 'random').mockImplementation(() => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
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
