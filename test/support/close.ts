/** Closes resources of tests after all tests of their file. */
import { afterAll } from 'vitest';

const closers: (() => unknown)[] = [];

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Calls a function after the last test of this file, in reverse order. */
export const closeLater = (close: () => unknown): void => void closers.push(close);
