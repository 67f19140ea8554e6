/** Refuses a script that is a link out of its entry. Node follows that link before it calls any hook. */
import Module from 'node:module';
import { resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { readScript } from '../app/script.ts';
import { apply } from '../base/primordials.ts';
import { isWithin } from '../base/store-layout.ts';
import type { Locator } from '../resolve/locator.ts';
import type { Refusal } from '../types.ts';
import type { Guard } from './guard.ts';

/** The parts of Module that run a script. Node does not document them, but keeps them for preloads. */
interface Internals {
  /** What a path was resolved to: `_findPath` gives the same answer again. */
  _pathCache: Record<string, string | undefined>;
  _findPath: (path: string, directories: null, isMain: boolean) => string | false;
  _resolveFilename: (request: string, parent: null, isMain: boolean) => string;
  runMain: (this: unknown, script?: string) => unknown;
}

/**
 * Checks the script if its path is in an entry. In a worker, `--require` preloads run before `process.argv`
 * names the script; there the check waits until Node runs it.
 *
 * @throws Node's not-found error, when the file that Node is about to run is not in that entry, or when the
 *   entry must not be used
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/run_main.js resolveMainPath
 */
export function watchScript(locator: Locator, guard: Pick<Guard, 'refuse'>): void {
  const internals = Module as unknown as Internals;
  const check = (script: string | undefined): void => {
    const path = script && resolve(script);
    if (!path || !locator.isInStore(path)) return;
    const entry = locator.findEntryOf(path);
    if (entry === undefined) return;
    const answer = internals._resolveFilename(path, null, true);
    const real = internals._findPath(path, null, true);
    // A sound entry may stand in for a damaged one: then the hooks resolve the script to a file of the sound one.
    const isLed = real === false || real === answer || isWithin(real, locator.findRealEntry(entry));
    if (!isLed) throw guard.refuse(path, STRAY);
  };
  // A worker of `node --eval` has a script, which Node has looked up before `--import` preloads run.
  const [, first] = process.argv;
  const script = isMainThread ? readScript() : first;
  const isNamed = script !== undefined && `${resolve(script)}\0` in internals._pathCache;
  if (isMainThread || isNamed) {
    check(script);
    return;
  }
  const { runMain } = internals;
  internals.runMain = function (main = process.argv[1]) {
    check(main);
    return apply(runMain, this, [main]);
  };
}

const STRAY: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'the script is a link that leads out of its entry',
  hint: 'start the script from the entry that import.meta.resolve finds now',
};
