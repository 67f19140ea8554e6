/** Rejects an entry script that is a link out of its store entry: Node follows that link before it calls any hook. */
import Module from 'node:module';
import { resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { readScript } from '../app/script.ts';
import { apply } from '../base/primordials.ts';
import { isWithin } from '../base/store-layout.ts';
import type { Locator } from '../resolve/locator.ts';
import type { Refusal } from '../types.ts';
import type { Verifier } from './verify-entry.ts';

/** Parts of Module that run a script. Node does not document them, but keeps them for preloads. */
interface Internals {
  /** Resolved paths by request: `_findPath` returns them again. */
  _pathCache: Record<string, string | undefined>;
  _findPath: (path: string, directories: null, isMain: boolean) => string | false;
  _resolveFilename: (request: string, parent: null, isMain: boolean) => string;
  runMain: (this: unknown, script?: string) => unknown;
}

/**
 * Verifies the script if its path is in an entry. In a worker, `--require` preloads run before
 * `process.argv` has the script: there this waits until Node runs it.
 *
 * @throws Node's not-found error, when Node is about to run a file outside of that entry, or when this
 *   process must not use the entry
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/run_main.js resolveMainPath
 */
export function verifyEntryScript(locator: Locator, { makeLoadError }: Verifier): void {
  const internals = Module as unknown as Internals;
  const verify = (script: string | undefined): void => {
    const path = script && resolve(script);
    const entry = path ? locator.findEntryOf(path) : undefined;
    if (!path || entry === undefined) return;
    const answer = internals._resolveFilename(path, null, true);
    const real = internals._findPath(path, null, true);
    // The hooks replace a script of a damaged entry by that of a sound one.
    const isMissing = real === false;
    const isSound = isMissing || real === answer || isWithin(real, locator.findRealEntry(entry));
    if (!isSound) throw makeLoadError(path, LINKED_SCRIPT);
  };
  const [, first] = process.argv;
  // Node resolves the script of a worker of `node --eval` before it runs `--import` preloads.
  const script = isMainThread ? readScript() : first;
  const isResolved = script !== undefined && `${resolve(script)}\0` in internals._pathCache;
  if (isMainThread || isResolved) {
    verify(script);
    return;
  }
  const { runMain } = internals;
  internals.runMain = function (main = process.argv[1]) {
    verify(main);
    return apply(runMain, this, [main]);
  };
}

const LINKED_SCRIPT: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'the script is a link that leads out of its entry',
  hint: 'start the script from the entry that import.meta.resolve finds now',
};
