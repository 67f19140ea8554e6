/** Notices an entry script in a store: Node may follow a link of it before it calls any hook. */
import Module from 'node:module';
import { resolve } from 'node:path';
import { readScript } from '../app/script.ts';
import { isMainThread } from '../base/main-thread.ts';
import { apply } from '../base/primordials.ts';

/** Parts of Module that run a script. Node does not document them, but keeps them for preloads. */
interface Internals {
  /** Resolved paths by request: `_findPath` returns them again. */
  _pathCache: Record<string, string | undefined>;
  runMain: (this: unknown, script?: string) => unknown;
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
  const { runMain } = internals;
  internals.runMain = function (main = process.argv[1]) {
    use(main);
    return apply(runMain, this, [main]);
  };
}
