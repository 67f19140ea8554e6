/** Rejects an entry script that is a link out of its store entry: Node follows that link before it calls any hook. */
import Module from 'node:module';
import { isWithin } from '../base/store-layout.ts';
import type { Locator } from '../resolve/locator.ts';
import type { Refusal } from '../types.ts';
import type { Verifier } from './verify-entry.ts';

/** Parts of Module that Node does not document, but keeps for preloads. */
interface Internals {
  _findPath: (path: string, directories: null, isMain: boolean) => string | false;
  _resolveFilename: (request: string, parent: null, isMain: boolean) => string;
}

/**
 * Verifies the script if its path is in an entry.
 *
 * @param path absolute
 * @throws Node's not-found error, when Node is about to run a file outside of that entry, or when this
 *   process must not use the entry
 */
export function verifyEntryScript(
  locator: Locator,
  { makeLoadError }: Verifier,
  path: string,
): void {
  const internals = Module as unknown as Internals;
  const entry = locator.findEntryOf(path);
  if (entry === undefined) return;
  const dir = locator.findRealEntry(entry);
  const findReal = (): string | false => internals._findPath(path, null, true);
  let answer: string;
  try {
    answer = internals._resolveFilename(path, null, true);
  } catch (error) {
    // The hooks answer a link out of an entry as Node answers a file that is missing.
    const real = findReal();
    const isLinked = real !== false && !isWithin(real, dir);
    const hasReason = (error as Error | undefined)?.cause !== undefined;
    throw isLinked && !hasReason ? makeLoadError(path, LINKED_SCRIPT) : error;
  }
  const real = findReal();
  if (real === false || real === answer) return;
  // The hooks replace a script of a damaged entry by that of a sound one.
  const other = locator.findEntryOf(answer) ?? '';
  const isSame = isWithin(real, dir) && real.slice(dir.length) === answer.slice(other.length);
  if (!isSame) throw makeLoadError(path, LINKED_SCRIPT);
}

const LINKED_SCRIPT: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'the script is a link to another file',
  hint: 'start the script from the entry that import.meta.resolve finds now',
};
