/** The one resolution body: asks the decision table, looks up what it wants, does what it says. */
import Module, { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { findCorePackage, findOwner, toRealPath } from '../core.ts';
import { AnnexError, explain } from '../errors.ts';
import { type Asked, type Decision, decide, type Evidence } from '../policy/decide.ts';
import { parseBareSpecifier } from '../policy/specifier.ts';
import { findInstallRefusal, refuseAbsent } from '../refusals.ts';
import { isContained } from '../store/contain.ts';
import type { Damaged } from '../store/entry.ts';
import { isWithin, relativeTo } from '../store/layout.ts';
import type { Entry, Feature, Refusal } from '../types.ts';
import type { Locator } from './locator.ts';
import { createNotFound } from './not-found.ts';

/** What is to be resolved. */
export interface Request {
  specifier: string;
  kind: 'import' | 'require';
  /** Path of the file that asks; undefined when it is none (`data:`, the command line). */
  parent: string | undefined;
  /** require.resolve was given `paths`. */
  hasPaths: boolean;
}

/** What Node answered. */
export type Outcome<R> = { result: R } | { error: unknown };

/**
 * A question to Node: resolve the specifier as from this file, or, when undefined, as asked.
 * A driver answers it at once (registerHooks, require) or after a while (off-thread hooks).
 */
export type Question = string | undefined;

/** What the body needs from its surroundings. */
export interface Surroundings<R> {
  locator: Locator;
  /** Path of the file of a result; undefined when it is none (a builtin). */
  fileOf: (result: R) => string | undefined;
  /** Installs a feature, blocking; says why when it failed. */
  install: (feature: Feature, askedBy: string | undefined) => Refusal | undefined;
  /** Told of every decision and all that was looked at so far. */
  trace?: (decision: Decision, seen: Seen) => void;
}

/** What was found on the way to a decision. */
export interface Seen {
  asked: Asked;
  evidence: Evidence;
  owner?: string;
  entry?: Entry;
  rejected?: string[];
  damaged?: Damaged[];
  /** An entry would do, but that it holds what is blocked: this counts more than what keeps another away. */
  blocked?: Refusal;
  refusal?: Refusal;
}

/**
 * Resolves one request. A generator, so that one body serves drivers that ask Node synchronously
 * and those that have to wait for it. It returns the error that the program is to see; what it
 * throws is a fault of its own, and then Node's answer stands.
 */
export function* resolveRequest<R>(
  request: Request,
  { locator, fileOf, install, trace }: Surroundings<R>,
): Generator<Question, Outcome<R>, Outcome<R>> {
  const { thread } = locator;
  const { root } = thread.settings.core;
  const name = parseBareSpecifier(request.specifier)?.name ?? '';
  const feature = thread.settings.declaration.byPackage.get(name);
  const parentEntry =
    request.parent === undefined ? undefined : locator.findEntryOf(request.parent);
  const evidence: Evidence = {};
  const seen: Seen = { asked: describeRequest(request, name, parentEntry, locator), evidence };
  let answer: Outcome<R> = { error: undefined };
  for (;;) {
    const decision = decide(seen.asked, evidence);
    trace?.(decision, seen);
    if ('look' in decision) {
      if (decision.look === 'node') {
        answer = yield undefined;
        evidence.node = describeAnswer(answer, request, parentEntry, fileOf);
      } else if (feature !== undefined) {
        lookUp(decision.look, { name, feature, request, locator, seen });
      }
      continue;
    }
    switch (decision.verdict) {
      case 'pass':
        return yield undefined;
      case 'as Node':
        return answer;
      case 'as core root':
        return yield join(root, 'package.json');
      case 'not found':
        return { error: createNotFound(request) };
      case 'from entry': {
        const { dir } = seen.entry as Entry;
        const from = join(dir, 'package.json');
        const outcome = yield from;
        // No path through a declared package leads to what came along with it.
        const home = toRealPath(join(dir, 'node_modules', name));
        const isForeign =
          ('result' in outcome && !isContained(fileOf(outcome.result), home)) ||
          isFromOutside(outcome, { ...request, parent: from }, dir, fileOf);
        return isForeign ? { error: createNotFound(request) } : outcome;
      }
      case 'explain':
        return explainAnswer(answer, composeCause(request, feature as Feature, seen, root));
      case 'install': {
        const refusal = install(feature as Feature, request.parent);
        evidence.hasTried = true;
        delete evidence.hasEntry;
        if (refusal !== undefined) seen.refusal = seen.blocked ?? refusal;
      }
    }
  }
}

function describeRequest(
  { specifier, parent, hasPaths }: Request,
  name: string,
  parentEntry: string | undefined,
  { thread, findZone, isShared }: Locator,
): Asked {
  const isBare = name !== '' && !isBuiltin(specifier);
  return {
    form: isBare ? 'bare' : specifier.startsWith('#') ? 'internal' : 'other',
    hasPaths,
    isDeclared: thread.settings.declaration.byPackage.has(name),
    zone: parentEntry !== undefined ? 'entry' : parent === undefined ? 'outside' : findZone(parent),
    isShared: parentEntry !== undefined && isShared(parentEntry, name),
  };
}

function describeAnswer<R>(
  answer: Outcome<R>,
  request: Request,
  parentEntry: string | undefined,
  fileOf: (result: R) => string | undefined,
): NonNullable<Evidence['node']> {
  if (parentEntry === undefined) return 'error' in answer ? 'failed' : 'found';
  if (isFromOutside(answer, request, parentEntry, fileOf)) return 'found';
  return 'error' in answer ? 'failed' : 'found in same entry';
}

/**
 * Whether an answer for a file in an entry comes from outside it: a file there, or the error of a
 * broken copy there. A builtin is nowhere.
 */
function isFromOutside<R>(
  answer: Outcome<R>,
  { specifier, parent = '' }: Request,
  entry: string,
  fileOf: (result: R) => string | undefined,
): boolean {
  if ('result' in answer) {
    const file = fileOf(answer.result);
    return file !== undefined && !isContained(file, entry);
  }
  const name = parseBareSpecifier(specifier)?.name;
  if (name === undefined) return false;
  const owner = findOwner(name, dirname(parent), listGlobalPaths());
  return owner !== undefined && !isWithin(owner, entry);
}

interface LookUp {
  name: string;
  feature: Feature;
  request: Request;
  locator: Locator;
  seen: Seen;
}

function lookUp(fact: keyof Evidence, { name, feature, request, locator, seen }: LookUp): void {
  const { thread } = locator;
  const { evidence } = seen;
  if (fact === 'isOwned') {
    const from = dirname(request.parent ?? join(thread.settings.core.root, 'x'));
    const owner = findOwner(name, from, listGlobalPaths());
    evidence.isOwned = owner !== undefined;
    if (owner !== undefined) seen.owner = owner;
  } else if (fact === 'isInRoot') {
    evidence.isInRoot = findCorePackage(name, thread.settings.core.root) !== undefined;
  } else if (fact === 'hasEntry') {
    thread.askers.set(feature.name, request);
    const { entry, rejected, damaged, blocked } = thread.choose(feature);
    evidence.hasEntry = entry !== undefined;
    seen.rejected = rejected;
    seen.damaged = damaged;
    if (blocked !== undefined) seen.blocked = blocked;
    if (entry !== undefined) seen.entry = entry;
  } else if (fact === 'mayInstall') {
    const refusal =
      findInstallRefusal(thread.settings, feature, thread.failures.get(feature.name)) ??
      (seen.asked.zone === 'dependency' ? refuseProbe(feature) : undefined);
    evidence.mayInstall = refusal === undefined;
    if (refusal !== undefined) seen.refusal = seen.blocked ?? refusal;
  }
}

/** A package of the core that probes for an optional dependency starts no install. */
const refuseProbe = ({ name }: Feature): Refusal => ({
  code: 'ANNEX_DENIED',
  reason: 'only the application’s own files may start an install',
  hint: `call ensure(${JSON.stringify(name)}), or list the package under annex.importers`,
});

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
  const askedBy = parent && relativeTo(root, parent);
  const make = (why: Refusal): AnnexError =>
    new AnnexError(why, { feature: name, specifier, askedBy });
  const { damaged = [], rejected = [], refusal = fallback } = seen;
  return make(refuseAbsent({ damaged, rejected }, refusal));
}

/** Where `require` looks last: NODE_PATH and the folders that Node adds. */
const listGlobalPaths = (): string[] =>
  (Module as unknown as { globalPaths?: string[] }).globalPaths ?? [];

const explainAnswer = <R>(answer: Outcome<R>, cause: AnnexError): Outcome<R> =>
  'error' in answer ? { error: explain(answer.error, cause) } : answer;

/** The result, or the error thrown. */
export function unwrap<R>(outcome: Outcome<R>): R {
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}
