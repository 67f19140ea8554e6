/** Resolves requests for the hooks, synchronously or asynchronously. A fault in annex itself never reaches the program. */
import { dirname } from 'node:path';
import { createLog } from '../base/log.ts';
import { hideAdditions, showAdditions } from '../base/object-prototype.ts';
import { messageOf } from '../base/thrown.ts';
import type { Locator } from '../resolve/locator.ts';
import { createNotFound } from '../resolve/not-found.ts';
import type { Install, ResolveOptions } from '../resolve/options.ts';
import { createReporter } from '../resolve/report.ts';
import { type Outcome, type Question, type Request, unwrap } from '../resolve/request.ts';
import { resolveRequest } from '../resolve/resolve.ts';
import type { AnswerVerifier } from '../resolve/verified.ts';
import { observe } from './observe.ts';

/** How a hook asks Node to resolve one request. */
interface NodeSide<R> extends Pick<ResolveOptions<R>, 'postpone' | 'attempt'> {
  /** The conditions: different ones can have different answers. Without it, the answer is not kept. */
  variant?: string;
  /** The path of an answer; undefined for a builtin. */
  fileOf: (answer: R) => string | undefined;
  /** Resolves the request as the program made it, or as the question changes it. */
  ask: (question: Question) => R;
}

/** Resolves requests synchronously in one thread. */
export type Driver = ReturnType<typeof createDriver>;

/** Makes the driver of a thread. It keeps answers from entries: a repeated request is O(1). */
export function createDriver(locator: Locator, install: Install, verifier?: AnswerVerifier) {
  const answers = new Map<string, unknown>();
  const report = createReporter(locator.thread.settings);
  let isResolving = false;
  const resolve = <R>(request: Request, node: NodeSide<R>): R => {
    const { variant, ask, ...options } = node;
    const { specifier, kind, parent } = request;
    const isKept = variant !== undefined && !request.hasPaths;
    const key = isKept ? [kind, parent && dirname(parent), specifier, variant].join('\0') : '';
    const known = answers.get(key);
    if (known !== undefined) return known as R;
    let isFromEntry = false;
    const trace: ResolveOptions<R>['trace'] = (decision) => {
      isFromEntry = 'verdict' in decision && decision.verdict === 'from entry';
    };
    const verification = verifier && { verifier };
    const steps = resolveSafely<R>(request, {
      ...options,
      ...verification,
      locator,
      install,
      report,
      trace,
    });
    isResolving = true;
    try {
      let step = steps.next();
      while (step.done !== true) {
        const question = step.value;
        step = steps.next(toOutcome(() => showAdditions(() => ask(question))));
      }
      const answer = unwrap(step.value);
      if (isFromEntry && isKept) answers.set(key, answer);
      return answer;
    } finally {
      isResolving = false;
    }
  };
  // While annex resolves a request, Node alone resolves the modules that annex loads.
  const concerns: Locator['concerns'] = (specifier, parent, kind) =>
    !isResolving && locator.concerns(specifier, parent, kind);
  return {
    concerns,
    resolve: <R>(request: Request, node: NodeSide<R>): R =>
      hideAdditions(() => resolve(request, node)),
  };
}

/** Resolves a request for a hook that waits for Node. */
export async function resolveAsync<R>(
  request: Request,
  options: ResolveOptions<R>,
  ask: (question: Question) => Promise<R>,
): Promise<R> {
  const steps = resolveSafely(request, options);
  let step = steps.next();
  while (step.done !== true) {
    const outcome = ask(step.value).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    step = steps.next(await outcome);
  }
  return unwrap(step.value);
}

/**
 * Resolves a request. After a fault in annex itself, a request from a store or into one is not found,
 * because Node's default step would search above the entry. Every other request gets Node's answer.
 */
function* resolveSafely<R>(
  request: Request,
  options: ResolveOptions<R>,
): Generator<Question, Outcome<R>, Outcome<R>> {
  const observer = observe(request, options.locator.thread.settings.log, options.trace);
  const observed = observer === undefined ? options : { ...options, trace: observer.trace };
  try {
    const outcome = yield* resolveRequest(request, observed);
    observer?.end(outcome);
    return outcome;
  } catch (fault) {
    const { specifier, parent } = request;
    const { thread, isInStore } = options.locator;
    const isInside = isInStore(specifier) || (parent !== undefined && isInStore(parent));
    const consequence = isInside ? 'is not found' : 'is left to Node';
    const line = `annex: ${specifier} ${consequence}: fault in annex: ${messageOf(fault)}`;
    createLog(thread.settings.log)('error', line, { event: 'loader' });
    return isInside ? { error: createNotFound(request) } : yield {};
  }
}

/** Calls a function; returns its result or its error. */
export function toOutcome<R>(run: () => R): Outcome<R> {
  try {
    return { result: run() };
  } catch (error) {
    return { error };
  }
}
