/** Containers of one application, as pods would run it: a plain user, a read-only root, a program that does as it is told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Line, prepareBase } from '../../examples/immutable-image/test/support/bases.ts';
import { environment, tryRun } from '../../examples/immutable-image/test/support/podman.ts';
import { closeLater } from './close.ts';
import type { RunResult } from './process.ts';
import type { Sandbox } from './sandbox.ts';

/** The user of every pod. */
const POD_UID = 10_000;

/** Reads one JSON array for each line, `[ACTION, ARGUMENT]`, and answers with a line of JSON. */
const PROGRAM = `
import { createInterface } from 'node:readline';
import { composeMetrics, ensure, isAvailable, status } from 'annex';
const describe = ({ code, cause, message }) =>
  cause?.code ? { code: cause.code, message: cause.message, hint: cause.hint } : { code, message };
const actions = {
  load: (name) => import(name).then(({ marker, default: own }) => ({ marker: marker ?? own?.marker }), describe),
  ensure: (name) => ensure(name, { retry: true }).then(({ where }) => ({ where }), describe),
  isAvailable,
  status: () => status().features,
  metrics: () => composeMetrics(status()),
  version: () => process.version,
};
console.log('"ready"');
for await (const line of createInterface({ input: process.stdin })) {
  const [action, argument] = JSON.parse(line);
  Promise.resolve(actions[action](argument)).then((answer) => console.log(JSON.stringify(answer)));
}
`;

/** Options of a pod. */
export interface PodOptions {
  /** The application, at `/app`: its core must have a copy of annex, and the program of `writePodProgram`. */
  app: Sandbox;
  /** The version of Node; 24 by default. */
  line?: Line;
  /** Directory of this machine that is the volume `/data`. */
  volume?: string;
  env?: Record<string, string>;
  /** More options of `podman run`: mounts. */
  options?: string[];
  /** Whether it reaches the registry on loopback; by default it has no network. */
  isOnline?: boolean;
}

/** A running pod. */
export interface Pod {
  /** Imports a package: its marker, or the code, message and hint of the reason. */
  load(name: string): Promise<Answer>;
  /** Any other action of its program. */
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  ask(action: string, argument?: string): Promise<any>;
  /** Runs annex in it. */
  annex(...args: string[]): Promise<RunResult>;
  /** Its stderr so far. */
  said(): string;
  /** Ends it: by SIGKILL, as a node that is lost. */
  kill(): Promise<void>;
}

/** What an import gives. */
export interface Answer {
  marker?: string;
  code?: string;
  message?: string;
  hint?: string;
}

const CLI = '/app/node_modules/annex/dist/cli/main.js';

/** Writes the program of pods into an application. */
export const writePodProgram = (app: Sandbox): string => app.write('app/pod.mjs', PROGRAM);

/** Makes an empty volume that the user of pods can write. */
export function makeVolume(sandbox: Sandbox, name: string): string {
  const path = join(sandbox.root, name);
  mkdirSync(path);
  chownSync(path, POD_UID, POD_UID);
  return path;
}

const bases = new Map<Line, Promise<string>>();

/** Prepares each image once. */
const findBase = (line: Line): Promise<string> => {
  const base = bases.get(line) ?? prepareBase(line);
  bases.set(line, base);
  return base;
};

async function toArguments(options: PodOptions): Promise<string[]> {
  const { app, line = '24', volume, env = {}, options: more = [], isOnline = false } = options;
  const variables = {
    ANNEX_STORE: '/data/annex',
    ANNEX_SEALED: '1',
    NODE_OPTIONS: '--import=/app/node_modules/annex/loader.mjs',
    npm_config_cache: '/tmp/npm',
    npm_config_fetch_retries: '0',
    ...env,
  };
  return [
    ...['--rm', '--pull=never', `--network=${isOnline ? 'host' : 'none'}`],
    ...['--read-only', '--cap-drop=all', `--user=${POD_UID}:${POD_UID}`, '--workdir=/app'],
    ...['--volume', `${app.core}:/app:ro`, '--stop-timeout=1'],
    ...(volume === undefined ? [] : ['--volume', `${volume}:/data`]),
    ...Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...more,
    await findBase(line),
    'node',
  ];
}

/** Runs a command of annex in a pod of its own. */
export const runInPod = async (options: PodOptions, ...args: string[]): Promise<RunResult> =>
  tryRun('podman', ['run', ...(await toArguments(options)), CLI, ...args]);

/** Starts a pod. */
export async function startPod(options: PodOptions): Promise<Pod> {
  const name = `annex-pod-${randomBytes(4).toString('hex')}`;
  const args = ['run', '--interactive', '--name', name, ...(await toArguments(options)), 'pod.mjs'];
  const child: ChildProcess = spawn('podman', args, { env: environment, stdio: 'pipe' });
  const ended = once(child, 'exit');
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const answers = lines[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error(`the pod has ended: ${said}`);
    return JSON.parse(value);
  };
  const kill = async (): Promise<void> => {
    await tryRun('podman', ['kill', '--signal', 'KILL', name]);
    await ended;
  };
  closeLater(kill);
  await read();
  const ask: Pod['ask'] = (action, argument) => {
    child.stdin?.write(`${JSON.stringify([action, argument])}\n`);
    return read();
  };
  return {
    load: (wanted) => ask('load', wanted),
    ask,
    annex: (...words) => tryRun('podman', ['exec', name, 'node', CLI, ...words]),
    said: () => said,
    kill,
  };
}
