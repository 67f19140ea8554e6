/** The diagnostics channels of annex: what tools that observe a process subscribe to. */
import {
  type Channel,
  channel,
  type TracingChannel,
  tracingChannel,
} from 'node:diagnostics_channel';
import type { InstallTrace, RefuseMessage, ResolveTrace, VerifyTrace } from '../types.ts';

/** Installs that this thread starts. */
export const installs: TracingChannel<string, InstallTrace> = tracingChannel('annex:install');

/** Decisions on requests for declared packages, and on requests from and into entries that the decision table answers. */
export const resolves: TracingChannel<string, ResolveTrace> = tracingChannel('annex:resolve');

/** Verifications of entries when they are first used, and of files when they are loaded. */
export const verifications: TracingChannel<string, VerifyTrace> = tracingChannel('annex:verify');

/** Requests that fail because a feature is unavailable. */
export const refusals: Channel = channel('annex:refuse');

/** Publishes a refusal, if anyone subscribes. */
export function publishRefusal(message: RefuseMessage): void {
  if (refusals.hasSubscribers) refusals.publish(message);
}

/**
 * Calls a synchronous function, and traces it if anyone subscribes.
 *
 * @example traceSync(verifications, { entry }, () => verify(entry))
 */
export const traceSync = <C extends object, T>(
  channels: TracingChannel<string, C>,
  context: C,
  run: () => T,
): T => (channels.hasSubscribers ? channels.traceSync(run, context) : run());
