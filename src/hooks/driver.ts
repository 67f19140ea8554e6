/** Runs the resolution body in this thread: what registerHooks and require share. */
import { dirname } from 'node:path';
import { createLog } from '../base/log.ts';
import { hideAdditions, showAdditions } from '../base/object-prototype.ts';
import { messageOf } from '../base/thrown.ts';
import type { Locator } from '../resolve/locator.ts';
import { createNotFound } from '../resolve/not-found.ts';
import { type Outcome, type Question, type Request, unwrap } from '../resolve/request.ts';
import { resolveRequest, type Surroundings } from '../resolve/resolve.ts';
import { createTell } from '../resolve/tell.ts';
import { rememberFailure, type Thread } from '../resolve/thread.ts';
import { installSync } from './run-installer.ts';

/** Asks Node: resolve the specifier as from a file, or as asked. */
export type Ask<R> = (from: Question) => R;

/** Resolves requests synchronously in one thread. */
export interface Driver {
  concerns: Locator['concerns'];
  /**
   * @param variant what else the answer depends on (the conditions)
   */
  resolve: <R>(
    request: Request,
    variant: string,
    fileOf: (result: R) => string | undefined,
    ask: Ask<R>,
  ) => R;
}

/** An import or require that blocks longer than this is worth a line. */
const LONG_BLOCK = 5_000;

/** Makes the driver of a thread. Answers from entries are remembered: a repeated import is O(1). */
export function createDriver(locator: Locator, install: Surroundings<never>['install']): Driver {
  const answers = new Map<string, unknown>();
  const tell = createTell(locator.thread.settings);
  let isBusy = false;
  return {
    concerns: (specifier, parent, kind) => !isBusy && locator.concerns(specifier, parent, kind),
    resolve: <R>(
      request: Request,
      variant: string,
      fileOf: (result: R) => string | undefined,
      ask: Ask<R>,
    ) =>
      hideAdditions(() => {
        const { specifier, kind, parent } = request;
        const key = [kind, parent && dirname(parent), specifier, variant].join('\0');
        const known = request.hasPaths ? undefined : answers.get(key);
        if (known !== undefined) return known as R;
        let isFromEntry = false;
        const body = resolveRequest<R>(request, {
          locator,
          fileOf,
          install,
          tell,
          trace: (decision) => {
            isFromEntry = 'verdict' in decision && decision.verdict === 'from entry';
          },
        });
        // What annex itself loads meanwhile is no business of its own hooks.
        isBusy = true;
        let outcome: Outcome<R>;
        try {
          let step = body.next();
          while (step.done !== true) {
            const { value } = step;
            step = body.next(attempt(() => showAdditions(() => ask(value))));
          }
          outcome = step.value;
        } catch (fault) {
          const settled = settleFault(request, locator, fault);
          outcome = settled ?? attempt(() => showAdditions(() => ask(undefined)));
        } finally {
          isBusy = false;
        }
        if (isFromEntry && 'result' in outcome) answers.set(key, outcome.result);
        return unwrap(outcome);
      }),
  };
}

/** What a function returns, or the error that it throws. */
export function attempt<R>(run: () => R): Outcome<R> {
  try {
    return { result: run() };
  } catch (error) {
    return { error };
  }
}

/**
 * What a request gets when something goes wrong in annex itself. A request that comes from a store, or
 * leads into one, is not found: Node's default step would look above the entry as well. For every
 * other one the program gets what Node alone would have given it.
 *
 * @returns undefined when Node has to be asked
 */
export function settleFault(
  request: Request,
  { thread, isInStore }: Locator,
  fault: unknown,
): { error: unknown } | undefined {
  const { specifier, parent } = request;
  const isInside = isInStore(specifier) || (parent !== undefined && isInStore(parent));
  const result = isInside ? 'is not found' : 'is left to Node';
  const line = `annex: ${specifier} ${result}, for a fault in annex itself: ${messageOf(fault)}`;
  createLog(thread.settings.log)('error', line);
  return isInside ? { error: createNotFound(request) } : undefined;
}

/** Installs from within a hook; a failure is remembered in this thread too. */
export function createInstall(thread: Thread): Surroundings<never>['install'] {
  const { settings } = thread;
  const log = createLog(settings.log);
  return (lookup) => {
    const { feature } = lookup;
    const start = performance.now();
    const result = installSync(settings, feature.name);
    const took = performance.now() - start;
    if (took > LONG_BLOCK) {
      const seconds = (took / 1000).toFixed(1);
      const remedy = `await ensure(${JSON.stringify(feature.name)}) does not block`;
      log('info', `annex: loading ${feature.name} blocked this thread for ${seconds} s; ${remedy}`);
    }
    if (result.outcome !== 'failed') return undefined;
    return rememberFailure(thread, lookup, result.refusal);
  };
}
