/** Resolves a request: collects facts until the decision table reaches a verdict, and carries that out. */
import { join } from 'node:path';
import { createLookup, type Lookup, refreshLookup } from '../app/lookup.ts';
import { explain } from '../base/error.ts';
import { isContained } from '../store/directory.ts';
import type { FoundEntry } from '../store/entry.ts';
import { composeCause, findStrayRefusal } from './cause.ts';
import {
  type Aim,
  findAim,
  isErrorFromOutside,
  isForeign,
  isInCorePackage,
} from './containment.ts';
import { type Decision, decide, type Evidence, type RequestFacts, type Zone } from './decide.ts';
import {
  collectEntry,
  collectInstallRefusal,
  collectOwner,
  collectRootCopy,
  isDeclared,
  isOutsideCore,
  type Subject,
} from './facts.ts';
import { explainLoss, findSpecial } from './gone.ts';
import type { Locator } from './locator.ts';
import { createNotFound } from './not-found.ts';
import type { ResolveOptions } from './options.ts';
import type { Outcome, Question, Request } from './request.ts';
import { type AnswerVerifier, askVerified, mapAnswer } from './verified.ts';

/** The state of one resolution. */
interface Resolution<R> extends Subject {
  fileOf: ResolveOptions<R>['fileOf'];
  verifier: AnswerVerifier | undefined;
  /** Node's answer. */
  answer: Outcome<R>;
  /** The file of the answer, when it is a pipe, a socket or a device. */
  special: string | undefined;
}

type Steps<R, T> = Generator<Question, T, Outcome<R>>;

/**
 * Resolves one request. It is a generator, so that drivers can ask Node synchronously or asynchronously. It
 * returns errors that the program gets; an error that it throws is a fault in annex.
 */
export function* resolveRequest<R>(
  request: Request,
  options: ResolveOptions<R>,
): Steps<R, Outcome<R>> {
  const resolution = startResolution(request, options);
  for (;;) {
    const decision = decide(resolution.facts, resolution.evidence);
    options.trace?.(decision, resolution);
    if ('needs' in decision) yield* collectFact(decision.needs, resolution);
    else if (decision.verdict === 'install') {
      const postponed = options.postpone?.(resolution.lookup as Lookup);
      if (postponed !== undefined) return { result: postponed };
      performInstall(resolution, options);
    } else {
      const outcome = yield* carryOut(decision, resolution, options);
      if (outcome !== undefined) return outcome;
      // The chosen entry is damaged.
      delete resolution.evidence.hasEntry;
    }
  }
}

function startResolution<R>(
  request: Request,
  { locator, fileOf, attempt, verifier }: ResolveOptions<R>,
): Resolution<R> {
  const aim = findAim(request, locator);
  const { settings } = locator.thread;
  const feature = aim.form === 'bare' ? settings.declaration.byPackage.get(aim.name) : undefined;
  return {
    request,
    aim,
    locator,
    facts: describeRequest(request, aim, locator),
    evidence: attempt === undefined ? {} : { hasTried: true },
    ...(attempt?.refusal && { refusal: attempt.refusal }),
    lookup: feature && createLookup(settings, feature),
    fileOf,
    verifier,
    answer: { error: undefined },
    special: undefined,
  };
}

function describeRequest(
  { parent, hasPaths }: Request,
  { form, name, entry }: Aim,
  { thread, findZone, findEntryOf, isShared }: Locator,
): RequestFacts {
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

function* collectFact<R>(fact: keyof Evidence, resolution: Resolution<R>): Steps<R, void> {
  if (fact === 'nodeResult') yield* collectAnswer(resolution);
  // The table needs the other facts of declared packages only.
  if (!isDeclared(resolution)) return;
  if (fact === 'isOwned') collectOwner(resolution);
  else if (fact === 'isInRoot') collectRootCopy(resolution);
  else if (fact === 'hasEntry') collectEntry(resolution);
  else if (fact === 'mayInstall') collectInstallRefusal(resolution);
}

/** Asks Node, and judges where its answer lies. */
function* collectAnswer<R>(resolution: Resolution<R>): Steps<R, void> {
  const { evidence, fileOf, locator, verifier } = resolution;
  const answer = yield* askVerified(resolution, fileOf, verifier);
  const { aim, request } = resolution;
  resolution.answer =
    'result' in answer && isOutsideCore(fileOf(answer.result), resolution)
      ? { error: createNotFound(request) }
      : answer;
  const isOutside =
    (aim.entry !== undefined && isSpecial(resolution.answer, resolution)) ||
    isForeign(resolution.answer, aim, request, locator, fileOf);
  evidence.nodeResult = isOutside
    ? 'found outside'
    : 'error' in resolution.answer
      ? 'failed'
      : 'found';
}

function isSpecial<R>(answer: Outcome<R>, resolution: Resolution<R>): boolean {
  resolution.special =
    'result' in answer ? findSpecial(resolution.fileOf(answer.result)) : undefined;
  return resolution.special !== undefined;
}

function performInstall<R>(resolution: Resolution<R>, { install }: ResolveOptions<R>): void {
  const lookup = resolution.lookup as Lookup;
  const refusal = install(lookup, resolution.request);
  resolution.lookup = refreshLookup(lookup);
  resolution.evidence.hasTried = true;
  delete resolution.evidence.hasEntry;
  if (refusal !== undefined) resolution.refusal = refusal;
}

function* carryOut<R>(
  { rule, verdict }: Extract<Decision, { rule: number }>,
  resolution: Resolution<R>,
  { report, attempt }: ResolveOptions<R>,
): Steps<R, Outcome<R> | undefined> {
  const { aim, answer, evidence, locator, request } = resolution;
  switch (verdict) {
    case 'pass':
      return yield {};
    case 'as core root':
      return yield* resolveFromRoot(resolution);
    case 'not found':
      return explainLost({ error: createNotFound(request) }, aim.entry, resolution);
    case 'from entry':
      return yield* resolveInEntry(resolution);
    case 'as Node': {
      const stray = rule === 6 ? findStrayRefusal(locator.thread.settings, request) : undefined;
      if (stray === undefined) return explainLost(answer, aim.entry, resolution);
      resolution.refusal = stray;
      return explainAnswer(resolution, false, report);
    }
    default: {
      const isNew = evidence.hasTried === true && attempt?.isReported !== true;
      if (attempt !== undefined) attempt.isReported = true;
      return explainAnswer(resolution, isNew, report);
    }
  }
}

function* resolveFromRoot<R>({
  aim,
  fileOf,
  locator,
  request,
}: Resolution<R>): Steps<R, Outcome<R>> {
  const outcome = yield { from: join(locator.thread.settings.core.root, 'package.json') };
  const isCore = 'error' in outcome || isInCorePackage(fileOf(outcome.result), aim.name, locator);
  return isCore ? outcome : { error: createNotFound(request) };
}

/** @returns undefined when the chosen entry is damaged, and is no longer chosen */
function* resolveInEntry<R>(resolution: Resolution<R>): Steps<R, Outcome<R> | undefined> {
  const { aim, fileOf, found, locator, request, verifier } = resolution;
  const { dir } = (found as Required<FoundEntry>).entry;
  const from = join(dir, 'package.json');
  const outcome = yield { from };
  const asked = { ...request, parent: from };
  const verdict = verifier?.verifyAnswer(asked, dir, mapAnswer(outcome, fileOf));
  if (verdict !== undefined) {
    if ('error' in verdict) return verdict;
    locator.thread.reject(dir, verdict.damage);
    return undefined;
  }
  // Only files of the package itself count, not those of its dependencies. The path is that of the
  // chosen entry: a link that has replaced it leads outside.
  const home = join(dir, 'node_modules', aim.name);
  const isOutside =
    'error' in outcome
      ? isErrorFromOutside(asked, dir)
      : isSpecial(outcome, resolution) || !isContained(fileOf(outcome.result), home);
  return explainLost(isOutside ? { error: createNotFound(request) } : outcome, dir, resolution);
}

const explainLost = <R>(
  outcome: Outcome<R>,
  entry: string | undefined,
  { locator, request, special }: Resolution<R>,
): Outcome<R> =>
  entry === undefined
    ? outcome
    : explainLoss(outcome, { entry, special }, request, locator.thread.settings);

/** Adds the cause to Node's error, and reports it. */
function explainAnswer<R>(
  resolution: Resolution<R>,
  isNew: boolean,
  report: ResolveOptions<R>['report'],
): Outcome<R> {
  const { answer, lookup } = resolution;
  const { feature } = lookup as Lookup;
  const cause = composeCause(resolution, feature.name);
  report?.(feature, cause, isNew);
  return 'error' in answer ? { error: explain(answer.error, cause) } : answer;
}
