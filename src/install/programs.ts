/** Makes the programs in `bin` of the packages of an entry available to its install scripts. */
import { closeSync, lstatSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readPackage } from '../base/package-json.ts';
import { isWithin } from '../base/store-layout.ts';
import type { LockNode } from '../plan/graph.ts';

/** The names of programs that a package must not provide: npm and scripts use those of this Node. */
const RESERVED = ['node', 'npm', 'npx'];

/** Bytes of a first line, as Linux reads it. */
const MAX_LINE = 256;

/**
 * Writes a program for each name in `bin` of the packages. It starts the file of the package, which is not executable
 * in an entry. Of two packages with one name, the one that is nearer to the top counts.
 *
 * @param staging the directory that paths of packages are relative to
 * @returns a directory for the end of PATH: a package replaces no program of the system
 */
export function writePrograms(staging: string, nodes: readonly LockNode[]): string {
  const dir = join(staging, 'home', 'programs');
  mkdirSync(dir, { recursive: true });
  const written = new Set(RESERVED);
  for (const { path } of nodes) {
    const home = join(staging, path);
    for (const [name, file] of listPrograms(home)) {
      const text = written.has(name) ? undefined : composeProgram(file);
      if (text === undefined) continue;
      written.add(name);
      writeFileSync(join(dir, name), text, { mode: 0o755 });
    }
  }
  return dir;
}

/**
 * The programs of a package: names, and paths of their files.
 *
 * @see https://docs.npmjs.com/cli/v11/configuring-npm/package-json#bin
 */
function listPrograms(home: string): [name: string, file: string][] {
  const { name, bin } = readPackage(home) ?? {};
  const named = typeof bin === 'string' ? { [String(name)]: bin } : (bin ?? {});
  return Object.entries(named).flatMap(([key, target]): [string, string][] => {
    const program = basename(key);
    const file = join(home, String(target));
    const isNamed = isWithin(file, home) && /^\w[\w.-]*$/.test(program);
    return isNamed && isRegular(file) ? [[program, file]] : [];
  });
}

/** Whether a path is that of a file, not of a link; false for what no file can have as its path. */
function isRegular(path: string): boolean {
  try {
    return lstatSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * A program that starts a file with the interpreter that its first line names, or else with the shell.
 *
 * @returns undefined for compiled code: the system starts only files that are executable
 */
function composeProgram(file: string): string | undefined {
  const start = readStart(file);
  if (start.includes('\0')) return undefined;
  const [first = ''] = start.split('\n', 1);
  const interpreter = /^#!\s*([\w./ =-]+)\s*$/.exec(first)?.[1] ?? 'sh';
  return `#!/bin/sh\nexec ${interpreter} '${file.replaceAll("'", "'\\''")}' "$@"\n`;
}

function readStart(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(MAX_LINE);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, MAX_LINE, 0));
  } finally {
    closeSync(file);
  }
}
