/** Intercepts the requests of a thread. Those that do not concern annex go straight to Node. */
import Module, { type ResolveHookSync } from 'node:module';
import { isAbsolute } from 'node:path';
import { hideCalls } from '../base/hide-calls.ts';
import { apply } from '../base/primordials.ts';
import type { Hooks } from '../hooks/activate.ts';
import { toText } from '../hooks/hook-context.ts';
import { findFile, kindOf, listStarts, type ResolveFilename } from '../hooks/require-request.ts';
import type { Recognizer } from '../resolve/recognize.ts';

/** Parts of Module that Node does not document, but keeps for other loaders. */
const internals = Module as unknown as { _resolveFilename: ResolveFilename };

/** What Node, or a loader that was registered earlier, uses to resolve requests of require. */
export const nextResolveFilename: ResolveFilename = internals._resolveFilename;

/** Whether this Node has synchronous hooks: 22.15 and later. */
export const hasSyncHooks = Object.hasOwn(Module, 'registerHooks');

/** Loads the second stage; returns undefined while it is being loaded, and when annex is off. */
type Open = () => Hooks | undefined;

/**
 * Replaces Module._resolveFilename, and registers a synchronous hook where Node has them.
 *
 * @param onThreads called once, when the program first requests node:worker_threads
 * @returns restores the originals
 * @throws when Module is frozen
 */
export function intercept(recognizer: Recognizer, open: Open, onThreads: () => void): () => void {
  const gate: Gate = { ...recognizer, open, onThreads };
  const resolveFilename = createResolveFilename(gate);
  if (!Reflect.set(internals, '_resolveFilename', resolveFilename)) {
    throw new Error(
      'Module._resolveFilename is read-only: preload annex before the code that freezes Module',
    );
  }
  const restore = (): void => {
    internals._resolveFilename = nextResolveFilename;
  };
  if (!hasSyncHooks) return restore;
  try {
    const registered = Module.registerHooks({ resolve: createResolve(gate) });
    return () => {
      registered.deregister();
      restore();
    };
  } catch (error) {
    restore();
    throw error;
  }
}

interface Gate extends Recognizer {
  open: Open;
  onThreads: (() => void) | undefined;
}

/** Notices a program that may start workers. Node's event for a new worker comes after it has got its data. */
function noticeThreads(gate: Gate, specifier: unknown): void {
  if (gate.onThreads === undefined) return;
  if (specifier !== 'node:worker_threads' && specifier !== 'worker_threads') return;
  const { onThreads } = gate;
  gate.onThreads = undefined;
  onThreads();
}

function createResolveFilename(gate: Gate): ResolveFilename {
  const { concerns, isInStore, open } = gate;
  const isConcerned: (...args: Parameters<ResolveFilename>) => boolean = (
    request,
    parent,
    _,
    options,
  ) => {
    const file = findFile(parent);
    if (typeof request !== 'string') return false;
    const starts = listStarts(options);
    if (starts === undefined || isAbsolute(request)) return concerns(request, file, 'require');
    for (let at = 0; at < starts.length; at++) {
      if (concerns(request, starts[at], 'require')) return true;
    }
    return false;
  };
  // Node's function has no name either.
  const hook = {} as { run: ResolveFilename };
  hook.run = function (request, parent, isMain, options) {
    noticeThreads(gate, request);
    try {
      if (isConcerned(request, parent, isMain, options)) {
        const hooks = open();
        if (hooks !== undefined) {
          return apply(hooks.resolveFilename, this, [request, parent, isMain, options]);
        }
      }
      const answer = apply(nextResolveFilename, this, [request, parent, isMain, options]);
      const kind = kindOf(parent, isMain);
      return isInStore(answer) ? (open()?.verifyPath(answer, kind, true) ?? answer) : answer;
    } catch (error) {
      throw hideCalls(error, hook.run, 'node-do-not-add-exception-line');
    }
  };
  return hook.run;
}

function createResolve(gate: Gate): ResolveHookSync {
  const { concerns, isInStore, open } = gate;
  const resolve: ResolveHookSync = (specifier, context, nextResolve) => {
    noticeThreads(gate, specifier);
    try {
      // Module._resolveFilename takes part in requests of require, whose condition Node lists first.
      if ((context.conditions as string[] | undefined)?.[0] === 'require')
        return nextResolve(specifier, context);
      const isText = typeof specifier === 'string';
      if (isText && concerns(specifier, toText(context.parentURL), 'import')) {
        const hooks = open();
        if (hooks !== undefined) return hooks.resolve(specifier, context, nextResolve);
      }
      const result = nextResolve(specifier, context);
      if (!isInStore(result.url)) return result;
      const url = open()?.verifyURL(result.url, context.conditions, true) ?? result.url;
      return url === result.url ? result : { ...result, url };
    } catch (error) {
      throw hideCalls(error, resolve, 'node-do-not-add-exception-line');
    }
  };
  return resolve;
}
