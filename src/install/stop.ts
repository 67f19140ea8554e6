/** Ends an install early: on a signal, at a time limit, or when the process that asked for it has ended. */
import { constants } from 'node:os';
import { AnnexError } from '../base/error.ts';
import { ASKER_FD } from '../settings/installer-env.ts';
import type { Settings } from '../settings/settings.ts';
import type { HeldLock } from '../store/lock.ts';
import type { Refusal } from '../types.ts';

/** Both signals are aborted with an AnnexError. */
export interface Stop {
  /** Aborted when the asking process has ended: the install continues only for other processes. */
  asker: AbortSignal;
  /** Aborted by SIGINT, SIGTERM or SIGHUP, and at the limit: the install stops at once. */
  signal: AbortSignal;
  /** The limit, ms of the monotonic clock: a request that a registry puts off beyond it is not waited for. */
  deadline: number;
  /** Restores the default actions. A command then ends by the signal that it received. */
  release: () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Handles signals until `release` is called.
 *
 * @param isInstaller whether a process with annex started this one, and holds a pipe to it
 * @param limit seconds after which it stops without a signal
 */
export function watchForStop(isInstaller: boolean, limit?: number): Stop {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const end = (): void => controller.abort(makeLimitError(limit));
  const timer = limit === undefined ? undefined : setTimeout(end, limit * 1000).unref();
  const onSignal = (name: NodeJS.Signals): void => {
    received = name;
    // A second signal ends the process at once.
    restore();
    controller.abort(makeStopError(`the installer received ${name}`));
  };
  const restore = (): void => {
    clearTimeout(timer);
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    asker: isInstaller ? watchAsker() : new AbortController().signal,
    signal: controller.signal,
    deadline: limit === undefined ? Number.POSITIVE_INFINITY : performance.now() + limit * 1000,
    release: () => {
      restore();
      // An installer reports the failure, and its asker continues.
      if (received === undefined || isInstaller) return;
      process.kill(process.pid, received);
      // Its default action does not end the first process of a container.
      if (process.pid === 1) process.exit(128 + constants.signals[received]);
    },
  };
}

let asker: AbortSignal | undefined;

/** The system closes the pipe however the asking process ends. One pipe serves all features. */
function watchAsker(): AbortSignal {
  if (asker !== undefined) return asker;
  const controller = new AbortController();
  asker = controller.signal;
  try {
    const { Socket } = process.getBuiltinModule('node:net');
    const pipe = new Socket({ fd: ASKER_FD, readable: true, writable: false });
    pipe.on('error', () => {});
    pipe.once('close', () =>
      controller.abort(makeStopError('the process that asked for it has ended')),
    );
    pipe.resume().unref();
  } catch {
    // There is no pipe: a user has set the variable that marks an installer.
  }
  return asker;
}

/** How often an install without an asker checks whether another process waits for it, ms. */
const POLL = 500;

/**
 * A signal that is aborted once the asker has ended and no other process waits for the lock. A waiter
 * would otherwise start the install again.
 */
export function stopUnlessAwaited(asking: AbortSignal, { isAwaited }: HeldLock): AbortSignal {
  const controller = new AbortController();
  const check = (): void => {
    if (!isAwaited()) controller.abort(asking.reason);
    else setTimeout(check, POLL).unref();
  };
  if (asking.aborted) check();
  else asking.addEventListener('abort', check, { once: true });
  return controller.signal;
}

/** Not a failure of the feature: a refusal with a state is not remembered. */
const state = 'The next request installs it; other features unaffected';

const makeStopError = (reason: string): AnnexError =>
  new AnnexError({ code: 'ANNEX_INSTALL_FAILED', reason, hint: 'try again', state });

const makeLimitError = (limit?: number): AnnexError =>
  new AnnexError({
    code: 'ANNEX_TIMEOUT',
    reason: `it was not finished within ${limit} s`,
    hint: 'find out what is slow, or allow more time with --within',
    state,
  });

/** The refusal of an install that exceeds the operator's time limit. */
export const refuseByTime = ({ timeout }: Settings, what = 'it took longer than'): Refusal => ({
  code: 'ANNEX_TIMEOUT',
  reason: `${what} ${Math.round(timeout / 1000)} s`,
  hint: 'find out what is slow, or raise "timeout" (seconds) in the file of ANNEX_CONFIG',
});
