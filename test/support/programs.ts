/** Programs of the machine that tests need, and that are not everywhere. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program is; undefined when it is not in PATH. */
export const findProgram = (name: string): string | undefined =>
  process.env.PATH?.split(delimiter)
    .map((dir) => join(dir, name))
    .find((path) => existsSync(path));
