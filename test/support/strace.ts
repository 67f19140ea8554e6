/** Runs strace, parses its output, and checks whether it works here. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { findProgram } from './programs.ts';
import type { RunOptions, Sandbox } from './sandbox.ts';

/** One system call of a trace. */
export interface Call {
  pid: number;
  name: string;
  /** Its number among calls of that name in its thread, from 1: the `when=` of a fault. */
  ordinal: number;
  /** Absolute paths of its arguments, or of its first descriptor. */
  paths: string[];
  /** Whether it opens a file for writing. */
  isWriting: boolean;
  /** Whether an error was injected. */
  isInjected: boolean;
  /** Whether its process ended in it. */
  isLast: boolean;
}

/** Path of the program; undefined when it is not installed. */
export const strace: string | undefined = findProgram('strace');

/** Why no fault can be injected here; undefined if it can. */
export const straceProblem: string | undefined = findProblem();

function findProblem(): string | undefined {
  if (process.platform !== 'linux') return 'strace is for Linux';
  const inject = ['-e', 'inject=unlink,unlinkat:error=EIO'];
  const args = ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, '-e', ''];
  if (strace === undefined) return 'strace is not installed';
  const { status } = spawnSync(strace, args, { stdio: 'ignore' });
  return status === 0 ? undefined : 'strace may not trace here';
}

/** `PID  CALL(…`, or the end of a call that another thread interrupted. */
const LINE = /^(\d+) +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))$/;

/** A path below an open directory of the program. */
const HELD = /^\/proc\/self\/fd\/(\d+)(?=\/|$)/;

/** Reads a trace that was written with `-f -y`: all calls, in the order of their time. */
export function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const held = new Map<string, string>();
  const holding = new Set<Call>();
  /** Directories are held with O_PATH alone. */
  const noteHeld = (end: string): void => {
    const [, fd, path] = / = (\d+)<(\/[^>]*)>$/.exec(end) ?? [];
    if (fd !== undefined && path !== undefined) held.set(fd, path);
  };
  const toPlace = (path: string): string =>
    path.replace(HELD, (whole, fd: string) => held.get(fd) ?? whole);
  const counts = new Map<string, number>();
  const open = new Map<string, Call>();
  for (const line of text.split('\n')) {
    const [, id = '', name, rest = '', resumed, end = ''] = LINE.exec(line) ?? [];
    const pid = Number(id);
    if (name !== undefined) {
      const key = `${pid} ${name}`;
      const ordinal = (counts.get(key) ?? 0) + 1;
      counts.set(key, ordinal);
      const read = readArguments(rest);
      const call = { pid, name, ordinal, ...read, paths: read.paths.map(toPlace) };
      calls.push(call);
      if (/\bO_PATH\b/.test(rest)) {
        holding.add(call);
        noteHeld(rest);
      }
      if (rest.endsWith('<unfinished ...>')) open.set(key, call);
    } else if (resumed !== undefined) {
      const call = open.get(`${pid} ${resumed}`);
      if (call === undefined) continue;
      Object.assign(call, readEnd(end));
      if (holding.has(call)) noteHeld(end);
    }
  }
  return calls;
}

function readArguments(rest: string): Omit<Call, 'pid' | 'name' | 'ordinal'> {
  const quoted = [...rest.matchAll(/"(\/[^"]*)"/g)].map(([, path = '']) => path);
  const [, held] = /^\d+<(\/[^>]*)>/.exec(rest) ?? [];
  return {
    paths: [...(held === undefined ? [] : [held]), ...quoted],
    isWriting: /\bO_(?:WRONLY|RDWR|CREAT)\b/.test(rest),
    ...readEnd(rest),
  };
}

const readEnd = (end: string): Pick<Call, 'isInjected' | 'isLast'> => ({
  isInjected: end.endsWith('(INJECTED)'),
  isLast: / = \?$|<unfinished \.\.\.>$/.test(end),
});

/**
 * Runs Node, and expects success without a line on stderr.
 *
 * @param calls the system calls to return; all that name a file by default
 */
export async function traceFiles(
  sandbox: Sandbox,
  args: readonly string[],
  { calls = '%file', node = process.execPath, ...options }: RunOptions & { calls?: string } = {},
): Promise<Call[]> {
  const out = join(sandbox.root, 'trace');
  const flags = ['-f', '-qq', '-y', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', out];
  const run = await sandbox.exec(strace ?? '', [...flags, node, ...args], options);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  return parseTrace(readFileSync(out, 'utf8'));
}

/**
 * A preload for a program: strace counts calls per thread, and the thread that reaches a number first gets
 * the fault. This puts the first thread, which does all work on files, ahead of the others.
 */
export const AHEAD = `const fs = require('node:fs');
for (let count = 0; count < 100; count += 1) {
  const file = fs.openSync('/dev/null', 'w');
  fs.writeSync(file, ' ');
  fs.closeSync(file);
  fs.lstatSync('/dev/null');
}
`;
