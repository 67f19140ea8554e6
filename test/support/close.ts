/** Ends what tests have opened, when all tests of their file are done. */
import { afterAll } from 'vitest';

const closers: (() => unknown)[] = [];

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Has a function called after the last test of this file; the last one first. */
export const closeLater = (close: () => unknown): void => void closers.push(close);
