/** Answers requests of files of an entry for others in it, without the decision table. */
import { dirname, join } from 'node:path';
import { hideAdditions } from '../base/object-prototype.ts';
import { exec } from '../base/primordials.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import { isWithin } from '../base/store-layout.ts';
import { mayKeepLinks } from '../resolve/containment.ts';
import { findSpecial } from '../resolve/gone.ts';
import type { Locator } from '../resolve/locator.ts';
import { type Outcome, type Request, unwrap } from '../resolve/request.ts';
import { isContained } from '../store/directory.ts';
import { toOutcome } from './driver.ts';
import type { Verifier } from './verify-entry.ts';

/** How a hook asks Node. */
interface NodeSide<R> {
  ask: () => R;
  /** The path of an answer. */
  fileOf: (answer: R) => string | undefined;
}

/** Node's answer. One that is an error, lies elsewhere or may be damaged is not sound: the request needs the decision table. */
export interface Short<R> {
  outcome: Outcome<R>;
  isSound: boolean;
}

/** Uses an answer for the first time that the same question is asked, so that other tools see a request once. */
export function createAsk<R>(short: Short<R> | undefined, ask: () => R): () => R {
  let known = short?.outcome;
  return () => {
    const outcome = known;
    known = undefined;
    return outcome === undefined ? ask() : unwrap(outcome);
  };
}

/**
 * Asks Node, and verifies the answer to a request by relative path, or by the name of a package that is not shared. Most
 * requests of a package are of these kinds, and rule 2 of the decision table keeps Node's answer.
 *
 * @returns undefined for any other request
 */
export type Shortcut = <R>(
  request: Pick<Request, 'specifier' | 'kind' | 'parent'>,
  node: NodeSide<R>,
) => Short<R> | undefined;

/** A relative path that means the same as a URL. */
const RELATIVE = /^\.\.?\/[^%?#\\\s]+$/;

/** Creates the shortcut of a thread. */
export function createShortcut(locator: Locator, verifier: Verifier): Shortcut {
  const mayBeLink = mayKeepLinks(locator.thread.settings);
  const isSound = (request: Request & { parent: string }, entry: string, file: string): boolean => {
    const { kind, parent, specifier } = request;
    const isPath = specifier[0] === '.';
    const isImport = kind === 'import' && isPath;
    if (isImport && join(dirname(parent), specifier) !== file) return false;
    if (isImport && verifier.isImported(file)) return true;
    // The package of a name may have become a link: Node remembers the paths that it has resolved.
    const isInside =
      mayBeLink || !isPath
        ? isContained(file, locator.findRealEntry(entry))
        : isWithin(file, entry);
    if (!isInside || findSpecial(file) !== undefined) return false;
    if (!isImport) return verifier.verifyAnswer(request, entry, { result: file }) === undefined;
    return verifier.findFileDamage(file, entry) === undefined;
  };
  return ({ specifier, kind, parent }, { ask, fileOf }) => {
    const entry = parent === undefined ? undefined : locator.findEntryOf(parent);
    if (parent === undefined || entry === undefined || !verifier.isInUse(entry)) return undefined;
    if (exec(RELATIVE, specifier) === null) {
      const name = parseBareSpecifier(specifier)?.name;
      if (name === undefined || locator.isShared(entry, name)) return undefined;
    }
    const outcome = toOutcome(ask);
    // A program may have added `result` to Object.prototype.
    const file = Object.hasOwn(outcome, 'result') ? fileOf(unwrap(outcome)) : undefined;
    if (file === undefined) return { outcome, isSound: false };
    const request = { specifier, kind, parent, hasPaths: false };
    try {
      return { outcome, isSound: hideAdditions(() => isSound(request, entry, file)) };
    } catch {
      return { outcome, isSound: false };
    }
  };
}
