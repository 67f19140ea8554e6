/** The events of a thread, for one listener: a view of the diagnostics channels. */
import type { InstallTrace, RefuseMessage, ResolveTrace, VerifyTrace } from '../types.ts';
import { installs, refusals, resolves, verifications } from './channels.ts';

/** What annex did. An install has two events with the same `trace`, everything else has one, at its end. */
export type AnnexEvent =
  | { event: 'install.start' | 'install.end'; trace: InstallTrace }
  | { event: 'resolve'; trace: ResolveTrace }
  | { event: 'verify'; trace: VerifyTrace }
  | { event: 'refuse'; trace: RefuseMessage };

/**
 * Calls a function with every event of this thread. Each worker has events of its own. On Node 20, `import` resolves
 * in a thread of Node, whose events are not seen.
 *
 * @returns stops it
 * @throws TypeError for anything but a function, as Node does
 * @example
 * const stop = onEvent(({ event, trace }) => {
 *   if (event === 'install.end') console.log(trace.feature, trace.error ?? trace.result);
 * });
 */
export function onEvent(listener: (event: AnnexEvent) => void): () => void {
  if (typeof listener !== 'function') {
    throw new TypeError(`the argument "listener" is a function, not ${typeof listener}`);
  }
  const install = {
    start: (trace: InstallTrace) => listener({ event: 'install.start', trace }),
    end: (trace: InstallTrace) => {
      if (trace.isBlocking) listener({ event: 'install.end', trace });
    },
    asyncEnd: (trace: InstallTrace) => listener({ event: 'install.end', trace }),
  };
  const resolve = { end: (trace: ResolveTrace) => listener({ event: 'resolve', trace }) };
  const verify = { end: (trace: VerifyTrace) => listener({ event: 'verify', trace }) };
  const refuse = (trace: unknown): void =>
    listener({ event: 'refuse', trace: trace as RefuseMessage });
  installs.subscribe(install as never);
  resolves.subscribe(resolve as never);
  verifications.subscribe(verify as never);
  refusals.subscribe(refuse);
  return () => {
    installs.unsubscribe(install as never);
    resolves.unsubscribe(resolve as never);
    verifications.unsubscribe(verify as never);
    refusals.unsubscribe(refuse);
  };
}
