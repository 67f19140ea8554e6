/** Containers of the image, and volumes for them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../../../../test/support/process.ts';
import { removeTree } from '../../../../test/support/tree.ts';
import { environment, pidFile, podman, runLabel, tryRun, until } from './podman.ts';

/** Options to run an image. Defaults are podman's, except that there is no network. */
export interface ContainerOptions {
  image: string;
  /** The command; the image's own by default. */
  args?: readonly string[];
  /** A directory for /opt/data. */
  volume?: string;
  /** The volume is mounted read-only. */
  readOnlyVolume?: boolean;
  /** `uid:gid`. */
  user?: string;
  env?: Record<string, string>;
  network?: string;
  /** More arguments of `podman run`: `['--read-only', '--tmpfs', '/run:exec', '--cap-drop', 'all']`. */
  options?: readonly string[];
}

/** Response of a gateway. */
export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests compare it with expected values
  body: any;
  ms: number;
}

/** A container. */
export interface Container {
  id: string;
  /** Host pid of its first process; of the last run if it has ended. */
  pid(): string;
  /** Runs a command in it, as root by default; a non-zero exit code is a result. */
  exec(args: readonly string[], options?: { user?: string; env?: string[] }): Promise<RunResult>;
  /** Sends a request to the gateway, inside the container's network. */
  request(path: string, body?: object): Promise<Answer>;
  /** Waits until /health responds. */
  ready(): Promise<void>;
  /** Both streams of its output. */
  logs(): Promise<string>;
  kill(signal: string): Promise<void>;
  start(): Promise<void>;
  /** Stops it. `seconds` until SIGKILL, 10 by default, which gives exit code 137. */
  stop(seconds?: number): Promise<void>;
  /** Its exit code, once it has ended. */
  wait(): Promise<number>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: podman's own shape
  inspect(): Promise<any>;
  remove(): Promise<void>;
}

const asker = join(import.meta.dirname, 'asker.mjs');
/** Time for a gateway to start, in ms. */
const PATIENCE = 120_000;

/** Arguments of `podman run` before the container's own. */
function toArguments(options: ContainerOptions): string[] {
  const { image, args = [], volume, user, env = {}, network = 'none' } = options;
  const mode = options.readOnlyVolume ? ':ro' : '';
  return [
    ...['--label', runLabel(), '--pull', 'never', '--network', network],
    ...(volume === undefined ? [] : ['-v', `${volume}:/opt/data${mode}`]),
    ...(user === undefined ? [] : ['--user', user]),
    ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...(options.options ?? []),
    image,
    ...args,
  ];
}

/**
 * Runs a container until it ends; a non-zero exit code is a result.
 * @param options `input` is its stdin
 */
export const runToEnd = ({
  input,
  ...options
}: ContainerOptions & { input?: string }): Promise<RunResult> => {
  const flags = ['--rm', ...(input === undefined ? [] : ['--interactive'])];
  return tryRun('podman', ['run', ...flags, ...toArguments(options)], { input });
};

/** A container with a terminal. */
export interface Terminal {
  /** Types a line or keys after a text has appeared since the last call. */
  type(after: string, keys: string): Promise<void>;
  /** Its exit code and the whole screen output. */
  end(): Promise<{ code: number | null; screen: string }>;
}

/** Runs a container with a terminal, through `script`. */
export function openTerminal(options: ContainerOptions): Terminal {
  const run = ['podman', 'run', '--rm', '--interactive', '--tty', ...toArguments(options)];
  const line = run.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', line, '/dev/null'], { env: environment, cwd: '/' });
  const ended = once(child, 'exit');
  let screen = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  return {
    type: async (after, keys) => {
      await until(`${after} in ${screen.slice(seen)}`, () => screen.indexOf(after, seen) >= 0);
      seen = screen.length;
      child.stdin.write(keys);
    },
    end: async () => {
      const timer = setTimeout(() => child.kill(), 20_000);
      const [code] = await ended;
      clearTimeout(timer);
      return { code: code as number | null, screen };
    },
  };
}

/**
 * Starts a container, detached.
 * @throws when podman cannot start it; a container that ends at once is not an error
 * @example
 * const volume = createVolume();
 * const container = await runContainer({ image, volume: volume.path, network: registry.network, env: registry.env });
 * await container.ready();
 * const { status, body } = await container.request('/search?q=otters');
 */
export async function runContainer(options: ContainerOptions): Promise<Container> {
  const started = await podman('run', '--detach', ...toArguments(options));
  const id = started.split('\n').at(-1) ?? '';
  const pid = (): string => readFileSync(pidFile(id), 'utf8');
  const call = async (...command: string[]): Promise<void> => void (await podman(...command, id));
  const ask = async (path: string, ...more: string[]): Promise<Answer> => {
    const enter = ['-t', pid(), '-n', process.execPath, asker, path, ...more];
    const { stdout, stderr } = await tryRun('nsenter', enter);
    if (stdout === '') throw new Error(`no answer from ${path}\n${stderr}`);
    return JSON.parse(stdout) as Answer;
  };
  return {
    id,
    pid,
    exec: (command, { user: as, env: more = [] } = {}) => {
      const flags = [...(as ? ['--user', as] : []), ...more.flatMap((pair) => ['--env', pair])];
      return tryRun('podman', ['exec', ...flags, id, ...command]);
    },
    request: (path, body) => ask(path, ...(body ? [JSON.stringify(body)] : [])),
    ready: async () => {
      const { status } = await ask('/health', '', String(PATIENCE));
      if (status !== 200) throw new Error(`/health answers ${status}`);
    },
    logs: async () => {
      const { stdout, stderr } = await tryRun('podman', ['logs', id]);
      return stdout + stderr;
    },
    kill: (signal) => call('kill', '--signal', signal),
    start: () => call('start'),
    stop: (seconds = 10) => call('stop', '--time', String(seconds)),
    wait: async () => Number(await podman('wait', '--interval', '50ms', id)),
    pause: () => call('pause'),
    unpause: () => call('unpause'),
    inspect: async () => JSON.parse(await podman('inspect', id))[0],
    remove: () => call('rm', '--force', '--volumes', '--time', '0'),
  };
}

/** A directory of the host, for /opt/data. */
export interface Volume {
  path: string;
  remove(): void;
}

/** Creates an empty volume. Owner and mode default to the image's, as for a named volume of Docker: 10000:0 and 2775. */
export function createVolume({ uid = 10_000, gid = 0, mode = 0o2775 } = {}): Volume {
  const path = mkdtempSync(join(tmpdir(), 'annex-volume-'));
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return { path, remove: () => removeTree(path) };
}
