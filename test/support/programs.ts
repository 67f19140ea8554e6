/** Programs that tests need and some machines lack. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Path of a program; undefined when it is not in PATH. */
export const findProgram = (name: string): string | undefined =>
  process.env.PATH?.split(delimiter)
    .map((dir) => join(dir, name))
    .find((path) => existsSync(path));
