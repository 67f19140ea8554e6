/** Notices an entry script in a store: Node may follow a link of it before it calls any hook. */
import Module from 'node:module';
import { resolve } from 'node:path';
import { readScript } from '../app/script.ts';
import { isMainThread } from '../base/main-thread.ts';
import { apply } from '../base/primordials.ts';

const { defineProperty } = Reflect;

/** Parts of Module that find and run a script. Node does not document them, but keeps them for preloads. */
interface Internals {
  _findPath: (this: unknown, request: string, paths: unknown, isMain?: boolean) => unknown;
  runMain: unknown;
  /** Resolved paths by request: `_findPath` returns them again. */
  _pathCache: Record<string, string | undefined>;
}

/**
 * Calls a function with the absolute path of the entry script. In a worker, `--require` preloads run before
 * `process.argv` has the script: there the call waits until Node runs it.
 *
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/run_main.js resolveMainPath
 */
export function watchEntryScript(verify: (path: string) => void): void {
  const internals = Module as unknown as Internals;
  const use = (script: string | undefined): void => {
    if (script) verify(resolve(script));
  };
  const [, first] = process.argv;
  // Node resolves the script of a worker of `node --eval` before it runs `--import` preloads.
  const script = isMainThread ? readScript() : first;
  const isResolved = script !== undefined && `${resolve(script)}\0` in internals._pathCache;
  if (isMainThread || isResolved) {
    use(script);
    return;
  }
  const watch = (): void => {
    const { _findPath: findPath } = internals;
    const watched: Internals['_findPath'] = function (request, paths, isMain) {
      if (isMain === true) {
        if (internals._findPath === watched) internals._findPath = findPath;
        use(request);
      }
      return apply(findPath, this, [request, paths, isMain]);
    };
    internals._findPath = watched;
  };
  // Node calls its own runMain, so the stack of the program has no call of annex.
  const { runMain } = internals;
  const restore = (value: unknown): unknown => {
    defineProperty(internals, 'runMain', {
      configurable: true,
      enumerable: true,
      writable: true,
      value,
    });
    watch();
    return value;
  };
  defineProperty(internals, 'runMain', {
    configurable: true,
    enumerable: true,
    get: () => restore(runMain),
    set: restore,
  });
}
