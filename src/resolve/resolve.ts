/** The one resolution body: asks the decision table, looks up what it wants, does what it says. */
import { dirname, join } from 'node:path';
import { createLookup, type Lookup, refreshLookup } from '../app/lookup.ts';
import { AnnexError, explain } from '../base/error.ts';
import { isWithin, relativeTo } from '../base/store-layout.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { refuseAbsent } from '../status/refusals.ts';
import { isContained } from '../store/contain.ts';
import type { Entry } from '../store/entry.ts';
import type { Refusal } from '../types.ts';
import {
  type Aim,
  findAim,
  isErrorFromOutside,
  isForeign,
  isInCorePackage,
} from './containment.ts';
import { type Asked, type Decision, decide, type Evidence, type Zone } from './decide.ts';
import { isFromFolder } from './global-folders.ts';
import { explainLoss, findSpecial } from './gone.ts';
import type { Locator } from './locator.ts';
import { lookUp, type Seen } from './lookups.ts';
import { createNotFound } from './not-found.ts';
import type { Outcome, Question, Request } from './request.ts';
import type { Tell } from './tell.ts';

/** What the body needs from its surroundings. */
export interface Surroundings<R> {
  locator: Locator;
  /** Path of the file of a result; undefined when it is none (a builtin). */
  fileOf: (result: R) => string | undefined;
  /** Installs a feature, blocking; says why when it failed. */
  install: (lookup: Lookup) => Refusal | undefined;
  /** Reports a request that fails for want of a feature. */
  tell?: Tell;
  /** Told of every decision and all that was looked at so far. */
  trace?: (decision: Decision, seen: Seen) => void;
}

/**
 * Resolves one request. A generator, so that one body serves drivers that ask Node synchronously
 * and those that have to wait for it. It returns the error that the program is to see; what it
 * throws is a fault of its own: see `settleFault`.
 */
export function* resolveRequest<R>(
  request: Request,
  { locator, fileOf, install, tell, trace }: Surroundings<R>,
): Generator<Question, Outcome<R>, Outcome<R>> {
  const { root } = locator.thread.settings.core;
  const aim = findAim(request, locator);
  const { name } = aim;
  const feature =
    aim.form === 'bare' ? locator.thread.settings.declaration.byPackage.get(name) : undefined;
  let lookup = feature && createLookup(locator.thread.settings, feature);
  const evidence: Evidence = {};
  const seen: Seen = { asked: describeRequest(request, aim, locator), evidence };
  let special: string | undefined;
  const isSpecial = (found: Outcome<R>): boolean => {
    special = 'result' in found ? findSpecial(fileOf(found.result)) : undefined;
    return special !== undefined;
  };
  const explainLost = (outcome: Outcome<R>, entry: string | undefined): Outcome<R> =>
    entry === undefined
      ? outcome
      : explainLoss(outcome, { entry, special }, request, locator.thread.settings);
  let answer: Outcome<R> = { error: undefined };
  /** Core does not have what lies in a folder that is no part of it. */
  const isElsewhere = (found: Outcome<R>): boolean =>
    'result' in found &&
    feature !== undefined &&
    ['core', 'dependency', 'importer'].includes(seen.asked.zone) &&
    isFromFolder(fileOf(found.result), name, dirname(request.parent ?? join(root, 'x')), locator);
  for (;;) {
    const decision = decide(seen.asked, evidence);
    trace?.(decision, seen);
    if ('look' in decision) {
      if (decision.look === 'node') {
        answer = yield undefined;
        if (isElsewhere(answer)) answer = { error: createNotFound(request) };
        const isOutside =
          (aim.entry !== undefined && isSpecial(answer)) ||
          isForeign(answer, aim, request, locator, fileOf);
        evidence.node = isOutside ? 'found outside' : 'error' in answer ? 'failed' : 'found';
      } else if (lookup !== undefined) {
        lookUp(decision.look, { name, lookup, request, locator, seen });
      }
      continue;
    }
    switch (decision.verdict) {
      case 'pass':
        return yield undefined;
      case 'as Node': {
        const stray = decision.rule === 6 && findStrayRefusal(locator.thread.settings, request);
        if (!stray) return explainLost(answer, aim.entry);
        seen.refusal = stray;
        const cause = composeCause(request, feature as Feature, seen, root);
        tell?.(feature as Feature, cause, false);
        return explainAnswer(answer, cause);
      }
      case 'as core root': {
        const outcome = yield join(root, 'package.json');
        const isCore = 'error' in outcome || isInCorePackage(fileOf(outcome.result), name, locator);
        return isCore ? outcome : { error: createNotFound(request) };
      }
      case 'not found':
        return explainLost({ error: createNotFound(request) }, aim.entry);
      case 'from entry': {
        const { dir } = seen.entry as Entry;
        const from = join(dir, 'package.json');
        const outcome = yield from;
        // Only files of the package itself count, not those that came along with it. The path is that
        // of the choice: where a link leads that has taken its place is outside.
        const home = join(dir, 'node_modules', name);
        const isOutside =
          'error' in outcome
            ? isErrorFromOutside({ ...request, parent: from }, dir)
            : isSpecial(outcome) || !isContained(fileOf(outcome.result), home);
        return explainLost(isOutside ? { error: createNotFound(request) } : outcome, dir);
      }
      case 'explain': {
        const cause = composeCause(request, feature as Feature, seen, root);
        tell?.(feature as Feature, cause, evidence.hasTried === true);
        return explainAnswer(answer, cause);
      }
      case 'install': {
        const refusal = install(lookup as Lookup);
        lookup = refreshLookup(lookup as Lookup);
        evidence.hasTried = true;
        delete evidence.hasEntry;
        if (refusal !== undefined) seen.refusal = seen.blocked ?? refusal;
      }
    }
  }
}

function describeRequest(
  { parent, hasPaths }: Request,
  { form, name, entry }: Aim,
  { thread, findZone, findEntryOf, isShared }: Locator,
): Asked {
  const findParentZone = (file: string): Zone =>
    findEntryOf(file) === undefined ? findZone(file) : 'entry';
  return {
    form,
    hasPaths,
    isDeclared: form === 'bare' && thread.settings.declaration.byPackage.has(name),
    zone: entry !== undefined ? 'entry' : parent === undefined ? 'outside' : findParentZone(parent),
    isShared: form === 'bare' && entry !== undefined && isShared(entry, name),
  };
}

/** The program itself, or what a bundler put beside it, asks from outside of the application. */
function findStrayRefusal({ core, strayDir }: Settings, { parent }: Request): Refusal | undefined {
  if (parent === undefined || strayDir === undefined || !isWithin(parent, strayDir))
    return undefined;
  return {
    code: 'ANNEX_DENIED',
    reason: `the program lies outside of the application ${core.root}, and only the application and its importers get features`,
    hint: `put the program below ${core.root}, set ANNEX_CORE to a directory above it, or list ${strayDir} under annex.importers`,
  };
}

function composeCause(
  { specifier, parent }: Request,
  { name }: Feature,
  seen: Seen,
  root: string,
): AnnexError {
  const fallback: Refusal = {
    code: 'ANNEX_INSTALL_FAILED',
    reason: `no valid entry stands in the store: ${seen.rejected?.join('; ') || 'none is there'}`,
    hint: `annex why ${specifier}`,
  };
  const asker = parent && relativeTo(root, parent);
  const make = (why: Refusal): AnnexError =>
    new AnnexError(why, { feature: name, specifier, asker });
  const { damaged = [], rejected = [], refusal = fallback } = seen;
  return make(refuseAbsent({ damaged, rejected }, refusal));
}

const explainAnswer = <R>(answer: Outcome<R>, cause: AnnexError): Outcome<R> =>
  'error' in answer ? { error: explain(answer.error, cause) } : answer;
