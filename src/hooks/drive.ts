/** Runs the resolution body in this thread: what registerHooks and require share. */
import { dirname } from 'node:path';
import { installSync } from '../installer.ts';
import { createLog } from '../log.ts';
import { refuseAgain } from '../refusals.ts';
import { readAbi } from '../runtime.ts';
import { nextFailure } from '../store/failures.ts';
import type { Thread } from '../thread.ts';
import type { Feature, Refusal } from '../types.ts';
import { createLocator, type Locator } from './locator.ts';
import { type Outcome, type Question, type Request, resolveRequest } from './resolve.ts';

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
export function createDriver(thread: Thread): Driver {
  const locator = createLocator(thread);
  const install = createInstall(thread);
  const answers = new Map<string, unknown>();
  let isBusy = false;
  return {
    concerns: (specifier, parent) => !isBusy && locator.concerns(specifier, parent),
    resolve: <R>(
      request: Request,
      variant: string,
      fileOf: (result: R) => string | undefined,
      ask: Ask<R>,
    ) => {
      const { specifier, kind, parent } = request;
      const key = [kind, parent && dirname(parent), specifier, variant].join('\0');
      const known = request.hasPaths ? undefined : answers.get(key);
      if (known !== undefined) return known as R;
      let isFromEntry = false;
      const body = resolveRequest<R>(request, {
        locator,
        fileOf,
        install,
        trace: (decision) => {
          isFromEntry = 'verdict' in decision && decision.verdict === 'from entry';
        },
      });
      // What annex itself loads meanwhile is no business of its own hooks.
      isBusy = true;
      try {
        let step = body.next();
        while (step.done !== true) step = body.next(attempt(ask, step.value));
        if (isFromEntry) answers.set(key, step.value);
        return step.value;
      } finally {
        isBusy = false;
      }
    },
  };
}

function attempt<R>(ask: Ask<R>, from: Question): Outcome<R> {
  try {
    return { result: ask(from) };
  } catch (error) {
    return { error };
  }
}

/** Installs from within a hook, and remembers a failure in this thread too. */
export function createInstall(thread: Thread): (feature: Feature) => Refusal | undefined {
  const log = createLog(thread.settings.log);
  return (feature) => {
    const start = performance.now();
    const result = installSync(thread.settings, feature.name);
    const took = performance.now() - start;
    if (took > LONG_BLOCK) {
      log(
        'info',
        `annex: loading ${feature.name} blocked this thread for ${(took / 1000).toFixed(1)} s; ` +
          `await ensure(${JSON.stringify(feature.name)}) does not`,
      );
    }
    if (result.outcome !== 'failed') return undefined;
    const { refusal } = result;
    const last = thread.failures.get(feature.name);
    const failure = nextFailure(last, { feature, abi: readAbi(), refusal, now: Date.now() });
    thread.failures.set(feature.name, failure);
    return refuseAgain(failure);
  };
}
