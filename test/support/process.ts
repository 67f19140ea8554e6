/** Runs a child process to its end with a scrubbed environment and a time limit, and kills its whole group. */
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** Exit and output of a process. */
export interface RunResult {
  /** Null when a signal ended it; SIGKILL means the time limit. */
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  /** Wall time in milliseconds. */
  ms: number;
}

/** Options of `execute`. */
export interface ExecuteOptions {
  cwd: string;
  /** The whole environment; nothing is inherited. Undefined values are left out. */
  env: Record<string, string | undefined>;
  /** Written to its stdin, which is closed afterwards. */
  input?: string;
  /** Called with each piece of its output. */
  onOutput?: (text: string) => void;
  /** Milliseconds until its process group is killed; 300,000 by default. */
  timeout?: number;
  /** User to run as, without supplementary groups; needs root. */
  uid?: number;
  /** Group to run as; `uid` by default. */
  gid?: number;
}

/**
 * Runs a command and waits until it and all processes that hold its output have ended.
 * A non-zero exit is a result, not an error.
 * @throws when the command cannot be started
 */
export function execute(
  command: string,
  args: readonly string[],
  options: ExecuteOptions,
): Promise<RunResult> {
  const { cwd, env, input = '', onOutput, timeout = 580_000, uid, gid = uid } = options;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
      detached: true,
      stdio: 'pipe',
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        onOutput?.(text);
      });
    }
    // A process that ends without reading its input breaks the pipe, which is not a failure.
    child.stdin.on('error', () => {});
    child.stdin.end(input);

    const timer = setTimeout(() => {
      killGroup(child.pid);
      // A surviving process outside the group may still hold the pipes.
      child.stdout.destroy();
      child.stderr.destroy();
    }, timeout);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output, ms: performance.now() - startedAt });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Output of annex on stderr, without the line about a slow install, which a busy machine causes. */
export function dropSlowness(stderr: string): string {
  return stderr.replace(/^annex: loading .* blocked this thread for .*\n/gm, '');
}
