/** Runs an installer process: annex's own CLI as a child, with a time limit for all of it. */
import type { Readable } from 'node:stream';
import { AnnexError } from '../base/error.ts';
import { CLI, describeMissing, findOwnFile } from '../base/own-files.ts';
import { messageOf } from '../base/thrown.ts';
import { getActiveThread } from '../resolve/thread.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import { ASKER_FD, GUARD, RETRY } from '../settings/installer-env.ts';
import type { Settings } from '../settings/settings.ts';
import type { InstallResult, Refusal } from '../types.ts';

/**
 * The installer ends itself and says why, after waiting for another for as long as an install may
 * take, and then installing for as long; this much later it is ended.
 */
const GRACE = 10_000;

/** Loaded late: most processes never install, and it costs 3 ms. */
const loadChildProcess = (): typeof import('node:child_process') =>
  process.getBuiltinModule('node:child_process');

/** @throws with the refusal, when annex is part of a bundle or not complete, and its command line is nowhere */
function describe(settings: Settings, feature: string, isRetry: boolean) {
  const { root } = settings.core;
  const cli = findOwnFile(CLI, root, getActiveThread()?.home);
  if (cli === undefined) {
    // Not to be remembered: no later try of this process has another outcome.
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
    // The last one, ASKER_FD, carries nothing: it closes when this process ends.
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'] as ['ignore', 'pipe', 'inherit', 'pipe'],
    // Its own process group, so that it can be ended with all that it started. A terminal's Ctrl-C
    // does not reach it: it ends because this process does.
    detached: true,
  };
  return {
    args: [cli, 'install', '--json', '--', feature],
    options,
    limit: 2 * settings.timeout + GRACE,
  };
}

/** Installs a feature, blocking this thread. Never throws. */
export function installSync(settings: Settings, feature: string): InstallResult {
  try {
    const { args, options, limit } = describe(settings, feature, false);
    const child = loadChildProcess().spawnSync(process.execPath, args, {
      ...options,
      timeout: limit,
      killSignal: 'SIGKILL',
    });
    if (child.error !== undefined) {
      endGroup(child.pid);
      return readEnd(feature, '', child.error);
    }
    return readEnd(feature, child.stdout.toString(), child.signal ?? child.status);
  } catch (error) {
    return readEnd(feature, '', error);
  }
}

/**
 * Installs a feature without blocking. Never rejects.
 *
 * @param isRetry a remembered failure does not count
 */
export function installAsync(
  settings: Settings,
  feature: string,
  isRetry: boolean,
): Promise<InstallResult> {
  return new Promise((resolve) => {
    try {
      const { args, options, limit } = describe(settings, feature, isRetry);
      const child = loadChildProcess().spawn(process.execPath, args, options);
      // Read to its end, or the child is not closed.
      (child.stdio[ASKER_FD] as Readable | null)?.resume();
      let output = '';
      let failure: unknown;
      const timer = setTimeout(() => {
        failure = { code: 'ETIMEDOUT' };
        endGroup(child.pid);
      }, limit);
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      child.on('error', (error) => {
        clearTimeout(timer);
        resolve(readEnd(feature, '', error));
      });
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve(readEnd(feature, output, failure ?? signal ?? code));
      });
    } catch (error) {
      resolve(readEnd(feature, '', error));
    }
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined || pid === 0) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** @param end exit code, signal, or what went wrong */
function readEnd(feature: string, output: string, end: unknown): InstallResult {
  try {
    const result = JSON.parse(output.trim().split('\n').at(-1) ?? '') as InstallResult[];
    if (result[0] !== undefined) return result[0];
  } catch {
    // It ended without a word; how it ended is all there is to tell.
  }
  return { feature, outcome: 'failed', refusal: refuseByEnd(feature, end) };
}

function refuseByEnd(feature: string, end: unknown): Refusal {
  if (end instanceof AnnexError) return end.refusal;
  const hint = `run annex install ${feature} to see its output`;
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
