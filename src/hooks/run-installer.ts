/** Runs an installer: annex's own command line in a child process, with a time limit. */
import type { Readable } from 'node:stream';
import { readScript, resolveScript } from '../app/script.ts';
import { installs, traceSync } from '../base/channels.ts';
import { GUARD } from '../base/environment.ts';
import { AnnexError, toRefusal } from '../base/error.ts';
import { createLog } from '../base/log.ts';
import { CLI, describeMissing, findOwnFile } from '../base/own-files.ts';
import { messageOf } from '../base/thrown.ts';
import { getActiveThread } from '../resolve/active.ts';
import type { Install } from '../resolve/options.ts';
import { rememberInThread, type Thread } from '../resolve/thread.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import { ASKER_FD, RETRY } from '../settings/installer-env.ts';
import type { Settings } from '../settings/settings.ts';
import { nameInstallCommand } from '../status/refusals.ts';
import type { InstallResult, Refusal } from '../types.ts';

/** Seconds that an install may block a thread without a line in the log. */
const LONG_BLOCK = 5;

/**
 * Milliseconds until an installer is killed, after its two time limits: of the wait for another installer,
 * and of the install.
 */
const KILL_DELAY = 10_000;

/** Makes the install function of a thread's hooks. The thread remembers failures. */
export function createInstall(thread: Thread): Install {
  const { settings } = thread;
  return (lookup, request) => {
    const { name } = lookup.feature;
    const start = performance.now();
    try {
      const file = request?.kind === 'import' ? request.parent : undefined;
      const context = { feature: name, store: settings.store, isBlocking: true };
      traceSync(installs, context, () => installSync(settings, name, file));
      return undefined;
    } catch (error) {
      const refusal = toRefusal(error, () => refuseByEnd(settings, name, error));
      return rememberInThread(thread, lookup, refusal);
    } finally {
      const seconds = (performance.now() - start) / 1000;
      const remedy = `await ensure(${JSON.stringify(name)}) does not block`;
      const line = `annex: loading ${name} blocked this thread for ${seconds.toFixed(1)} s; ${remedy}`;
      const facts = {
        event: 'install.block',
        feature: name,
        ms: Math.round(seconds * 1000),
      } as const;
      if (seconds > LONG_BLOCK) createLog(settings.log)('info', line, facts);
    }
  };
}

/** @param file the file that imports the feature: what else its graph imports is installed at the same time */
function installSync(settings: Settings, feature: string, file: string | undefined): InstallResult {
  const graph = file === undefined ? [] : [file, resolveScript(readScript()) ?? file];
  const { args, options, limit } = describeInstaller(settings, feature, { graph });
  const child = loadChildProcess().spawnSync(process.execPath, args, {
    ...options,
    timeout: limit,
    killSignal: 'SIGKILL',
  });
  if (child.error !== undefined) {
    killGroup(child.pid);
    throw child.error;
  }
  return readResult(settings, feature, child.stdout.toString(), child.signal ?? child.status);
}

/**
 * Installs a feature without blocking, once for all callers that wait for it.
 *
 * @param running the installs of this thread
 * @param isRetry ignores remembered failures
 * @throws AnnexError why it failed
 */
export function installOnce(
  running: Map<string, Promise<void>>,
  settings: Settings,
  feature: string,
  isRetry: boolean,
): Promise<void> {
  // Only a retry ignores remembered failures.
  const key = `${isRetry} ${feature}`;
  const install =
    running.get(key) ?? installAsync(settings, feature, isRetry).finally(() => running.delete(key));
  running.set(key, install);
  return install;
}

/**
 * Installs a feature without blocking.
 *
 * @param isRetry ignores remembered failures
 * @throws AnnexError why it failed
 */
async function installAsync(settings: Settings, feature: string, isRetry: boolean): Promise<void> {
  const context = { feature, store: settings.store, isBlocking: false };
  const run = (): Promise<InstallResult> => runInstaller(settings, feature, isRetry);
  try {
    await (installs.hasSubscribers ? installs.tracePromise(run, context) : run());
  } catch (error) {
    throw new AnnexError(toRefusal(error, () => refuseByEnd(settings, feature, error)));
  }
}

async function runInstaller(
  settings: Settings,
  feature: string,
  isRetry: boolean,
): Promise<InstallResult> {
  const { args, options, limit } = describeInstaller(settings, feature, { isRetry });
  const child = loadChildProcess().spawn(process.execPath, args, options);
  lowerPriority(child.pid);
  // A pipe that is not read keeps the child from closing.
  (child.stdio[ASKER_FD] as Readable | null)?.resume();
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  let timer: NodeJS.Timeout | undefined;
  let isTimedOut = false;
  const closed = new Promise<unknown>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? code));
    timer = setTimeout(() => {
      isTimedOut = true;
      killGroup(child.pid);
    }, limit);
  });
  const end = await closed.finally(() => clearTimeout(timer));
  return readResult(settings, feature, output, isTimedOut ? { code: 'ETIMEDOUT' } : end);
}

/** Gives way to the program, which runs at the same time. Threads that the installer starts later inherit it. */
function lowerPriority(pid: number | undefined): void {
  const { constants, setPriority } = process.getBuiltinModule('node:os');
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // The installer has ended, or the system does not allow it.
  }
}

/** Loads child_process late: most processes never install, and it takes 3 ms. */
const loadChildProcess = (): typeof import('node:child_process') =>
  process.getBuiltinModule('node:child_process');

/** @throws AnnexError when annex's command line is missing: in a bundle, or in an incomplete copy */
function describeInstaller(
  settings: Settings,
  feature: string,
  { isRetry = false, graph = [] }: { isRetry?: boolean; graph?: string[] },
) {
  const { root } = settings.core;
  const cli = findOwnFile(CLI, root, getActiveThread()?.home);
  if (cli === undefined) {
    // A state keeps the failure from being remembered: every later try of this process fails as well.
    const state = 'Nothing can be installed by this process; other features unaffected';
    throw new AnnexError({ code: 'ANNEX_INSTALL_FAILED', ...describeMissing(CLI, root), state });
  }
  const options = {
    cwd: root,
    env: {
      ...readInstallerEnv(settings),
      [GUARD]: isRetry ? RETRY : '1',
      ELECTRON_RUN_AS_NODE: '1',
    },
    // The last pipe, ASKER_FD, carries no data: it closes when this process ends.
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'] as ['ignore', 'pipe', 'inherit', 'pipe'],
    // A process group of its own, so that all its processes can be killed. Ctrl-C in a terminal does not
    // reach it; it ends when ASKER_FD closes.
    detached: true,
  };
  const files = graph.map((file) => `--graph=${file}`);
  const args = [cli, 'install', '--json', ...files, '--', feature];
  return { args, options, limit: 2 * settings.timeout + KILL_DELAY };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined || pid === 0) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended.
  }
}

/**
 * Reads the output of an installer that has ended.
 *
 * @param end exit code, signal, or error
 * @throws AnnexError why the install failed
 */
function readResult(
  settings: Settings,
  feature: string,
  output: string,
  end: unknown,
): InstallResult {
  let said: { results?: InstallResult[]; error?: Refusal } = {};
  try {
    said = JSON.parse(output.trim().split('\n').at(-1) ?? '') as typeof said;
  } catch {
    // Without output, the end says why.
  }
  if (said.error !== undefined) throw new AnnexError(said.error);
  const result = said.results?.find((one) => one.feature === feature);
  if (result === undefined) throw new AnnexError(refuseByEnd(settings, feature, end));
  if (result.outcome === 'failed') throw new AnnexError(result.refusal);
  return result;
}

function refuseByEnd(settings: Settings, feature: string, end: unknown): Refusal {
  const command = nameInstallCommand(settings, feature);
  // The kernel sends it when memory runs out.
  const hint =
    end === 'SIGKILL'
      ? `check the memory limit of the process, then ${command}`
      : `run ${command} to see its output`;
  const code = (end as { code?: unknown } | null)?.code;
  if (code === 'ETIMEDOUT') {
    return { code: 'ANNEX_TIMEOUT', reason: 'the installer did not finish in time', hint };
  }
  const reason =
    typeof end === 'object'
      ? `the installer did not start: ${messageOf(end)}`
      : `the installer ended with ${String(end)} before it finished`;
  return { code: 'ANNEX_INSTALL_FAILED', reason, hint };
}

/**
 * Ends this process: annex started it as an installer, but it runs another program. In a single executable
 * `process.execPath` is the application, which must not run twice.
 */
export function exitInstaller(): never {
  const line = 'annex: started as an installer, but this program is not annex; exiting';
  createLog('error')('error', line, { event: 'loader' });
  process.exit(70);
}
