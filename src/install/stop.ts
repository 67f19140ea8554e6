/** When an install is given up: the process that asked for it has ended, or a signal says so. */
import { AnnexError } from '../base/error.ts';
import { ASKER_FD } from '../settings/installer-env.ts';
import type { HeldLock } from '../store/lock.ts';
import type { Refusal } from '../types.ts';

/** What may end an install before its time. */
export interface Stop {
  /** Aborted when the process that asked has ended: then the install goes on only for others. */
  asker: AbortSignal;
  /** Aborted by a signal to this process: the install stops at once. */
  signal: AbortSignal;
  /** Lets signals end the process again; ends it, when one has come. */
  release: () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Watches while an install runs. The reason of both signals is an error with a refusal.
 *
 * @param isInstaller whether this process was started by annex, with a pipe to whoever asked
 */
export function watchForStop(isInstaller: boolean): Stop {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received = signal;
    // A second one ends the process at once.
    off();
    controller.abort(new AnnexError(refuseStopped(`the installer received ${signal}`)));
  };
  const off = (): void => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    asker: isInstaller ? watchAsker() : new AbortController().signal,
    signal: controller.signal,
    release: () => {
      off();
      // An installer says how it went, and whoever asked goes on.
      if (received !== undefined && !isInstaller) process.kill(process.pid, received);
    },
  };
}

let asker: AbortSignal | undefined;

/** The system closes the pipe of whoever asked, however that process ends. */
function watchAsker(): AbortSignal {
  if (asker !== undefined) return asker;
  const controller = new AbortController();
  asker = controller.signal;
  try {
    const { Socket } = process.getBuiltinModule('node:net');
    const pipe = new Socket({ fd: ASKER_FD, readable: true, writable: false });
    pipe.on('error', () => {});
    pipe.once('close', () =>
      controller.abort(new AnnexError(refuseStopped('the process that asked for it has ended'))),
    );
    pipe.resume().unref();
  } catch {
    // There is no pipe: a person has set the variable that marks an installer.
  }
  return asker;
}

/** How often an install that nobody asked for any more looks whether another process waits, ms. */
const POLL = 500;

/**
 * Aborted once whoever asked has ended and no other process waits for the lock: those that wait would
 * begin from the start.
 */
export function stopForNobody(asker: AbortSignal, { isAwaited }: HeldLock): AbortSignal {
  const controller = new AbortController();
  const look = (): void => {
    if (!isAwaited()) controller.abort(asker.reason);
    else setTimeout(look, POLL).unref();
  };
  if (asker.aborted) look();
  else asker.addEventListener('abort', look, { once: true });
  return controller.signal;
}

const refuseStopped = (reason: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason,
  hint: 'try again',
});
