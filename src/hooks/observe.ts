/** Tells observers what the decision table answers: subscribers of `annex:resolve`, and the log at the level `debug`. */
import { resolves } from '../base/channels.ts';
import { createLog, type LogLevel } from '../base/log.ts';
import { messageOf } from '../base/thrown.ts';
import type { ResolveOptions } from '../resolve/options.ts';
import type { Outcome, Request } from '../resolve/request.ts';
import type { ResolveTrace } from '../types.ts';

type Trace = NonNullable<ResolveOptions<unknown>['trace']>;

/** Observes one request. */
export interface Observer {
  /** Called with every decision, besides another function. */
  trace: Trace;
  /** Called with the outcome. */
  end: (outcome: Outcome<unknown>) => void;
}

/**
 * Begins to observe a request.
 *
 * @returns undefined when nobody observes
 */
export function observe(request: Request, level: LogLevel, other?: Trace): Observer | undefined {
  const isTraced = resolves.hasSubscribers;
  if (!isTraced && level !== 'debug') return undefined;
  const { specifier, kind, parent } = request;
  const context: ResolveTrace = { specifier, kind, parent };
  if (isTraced) resolves.start.publish(context);
  return {
    trace: (decision, subject) => {
      other?.(decision, subject);
      if ('verdict' in decision) Object.assign(context, decision);
    },
    end: (outcome) => {
      if ('error' in outcome) context.error = outcome.error;
      createLog(level)('debug', describe(context), { event: 'resolve' });
      if (!isTraced) return;
      if ('error' in outcome) resolves.error.publish(context);
      resolves.end.publish(context);
    },
  };
}

function describe({ specifier, kind, parent, rule, verdict, error }: ResolveTrace): string {
  const from = parent === undefined ? '' : ` from ${parent}`;
  const end = error === undefined ? '' : `: ${messageOf(error).split('\n', 1)}`;
  return `annex: ${kind} ${specifier}${from}: rule ${rule}, ${verdict}${end}`;
}
