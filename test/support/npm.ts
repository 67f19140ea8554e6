/** Replaces npm with another program, which records or fails. */
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Sandbox } from './sandbox.ts';

/** The npm that a program would find. */
export function findNpm(): string {
  const directories = process.env.PATH?.split(delimiter) ?? [];
  const found = directories.map((dir) => join(dir, 'npm')).find((path) => existsSync(path));
  if (found === undefined) throw new Error('these tests need npm');
  return found;
}

/**
 * Writes a shell script that is called npm.
 * @param lines its body
 * @returns its directory, for PATH
 */
export function writeNpm(sandbox: Sandbox, lines: string, mode = 0o755): string {
  const path = sandbox.write('tools/npm', `#!/bin/sh\n${lines}\n`);
  chmodSync(path, mode);
  return dirname(path);
}

/** An npm that writes its environment to a file and then runs the real npm. */
export function spyOnNpm(sandbox: Sandbox): {
  path: string;
  readEnv: () => Record<string, string>;
} {
  const file = join(sandbox.root, 'npm-env');
  const path = writeNpm(sandbox, `/usr/bin/env > ${file}\nexec ${findNpm()} "$@"`);
  const readEnv = () =>
    Object.fromEntries(
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  return { path, readEnv };
}
