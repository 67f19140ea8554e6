/** Podman and buildah with separate storage, locks and networks; the user's are never touched. */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execute, type RunResult } from '../../../../test/support/process.ts';
import { findProgram } from '../../../../test/support/programs.ts';
import { isRoot } from '../../../../test/support/user.ts';

const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
/** Cache of images, tarballs of bases and packages. */
export const containerCache = join(base, 'annex-dev', 'containers');
const digest = createHash('sha256').update(containerCache).digest('hex').slice(0, 8);
/** In memory, because it must not survive a reboot. */
const runtime = join('/run', `annex-dev-${digest}`);

const runRoot = join(runtime, 'storage');

/** File with the host pid of a container's first process (podman-run(1), --pidfile). */
export const pidFile = (id: string): string =>
  join(runRoot, 'overlay-containers', id, 'userdata', 'pidfile');

/** Why containers cannot run here; undefined if they can. */
export const containerProblem: string | undefined = findProblem();

function findProblem(): string | undefined {
  if (!isRoot) return 'containers here take root';
  const missing = ['podman', 'buildah', 'runc', 'mmdebstrap'].filter((name) => !findProgram(name));
  return missing.length > 0 ? `${missing.join(', ')} cannot be found` : undefined;
}

/** The host's bundle of certificates, as builds see it. */
export const certificates = '/etc/ssl/certs/ca-certificates.crt';

function writeSettings(): Record<string, string> {
  mkdirSync(containerCache, { recursive: true });
  const write = (name: string, lines: string[]): string => {
    const path = join(containerCache, name);
    writeFileSync(`${path}.${process.pid}`, `${lines.join('\n')}\n`);
    renameSync(`${path}.${process.pid}`, path);
    return path;
  };
  return {
    CONTAINERS_CONF: write('containers.conf', [
      '[containers]',
      // The engine's defaults need CAP_SYS_RESOURCE.
      'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]',
      '[engine]',
      'runtime = "runc"',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "none"',
      'lock_type = "file"',
      `tmp_dir = "${join(runtime, 'podman')}"`,
      `volume_path = "${join(containerCache, 'volumes')}"`,
      '[network]',
      'network_backend = "netavark"',
      `network_config_dir = "${join(containerCache, 'networks')}"`,
    ]),
    CONTAINERS_STORAGE_CONF: write('storage.conf', [
      '[storage]',
      'driver = "overlay"',
      `graphroot = "${join(containerCache, 'storage')}"`,
      `runroot = "${runRoot}"`,
    ]),
  };
}

const settings = containerProblem === undefined ? writeSettings() : {};

/** Environment of podman and buildah. */
export const environment: NodeJS.ProcessEnv = { ...process.env, ...settings };

/** Runs podman, buildah or another program; a non-zero exit code is a result. */
export const tryRun = (
  program: string,
  args: readonly string[],
  { timeout = 110_000, cwd = '/', input = '' } = {},
): Promise<RunResult> => execute(program, args, { cwd, timeout, input, env: environment });

/**
 * Like `tryRun`.
 * @returns its output, without the final line break
 * @throws its output, when it fails
 */
export async function run(
  program: string,
  args: readonly string[],
  options?: { timeout?: number; cwd?: string },
): Promise<string> {
  const { code, signal, stdout, stderr } = await tryRun(program, args, options);
  if (code !== 0) {
    const line = `${program} ${args.join(' ')}`;
    throw new Error(`${line}: ${code ?? signal}\n${stdout.slice(-4000)}${stderr.slice(-4000)}`);
  }
  return stdout.trimEnd();
}

/** Label of everything that a test run starts, for its teardown. From a variable, because workers are other processes. */
export const runLabel = (): string => `annex-run=${process.env.ANNEX_IMAGE_RUN ?? 'none'}`;

/** Runs podman, like `run`. */
export const podman = (...args: string[]): Promise<string> => run('podman', args);

/**
 * Polls until the result is neither false nor undefined, for at most `seconds`.
 * @throws with `what` and the last error on timeout
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | undefined> | T | false | undefined,
  seconds = 300,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (let last: unknown; ; await sleep(25)) {
    try {
      const answer = await ask();
      if (answer !== false && answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not in ${seconds} s: ${what}`, { cause: last });
  }
}
