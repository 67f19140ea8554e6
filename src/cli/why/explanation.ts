/** What `annex why` finds out about a request, as `--json` prints it. */
import { findCorePackage } from '../../app/core.ts';
import { isShipped } from '../../app/inventory.ts';
import { listLocked } from '../../app/locked-versions.ts';
import { ownOf } from '../../base/shape.ts';
import { parseBareSpecifier } from '../../base/specifier.ts';
import { codeOf, messageOf } from '../../base/thrown.ts';
import { toFile } from '../../resolve/destination.ts';
import type { Subject } from '../../resolve/facts.ts';
import type { Outcome, Request } from '../../resolve/request.ts';
import type { Settings } from '../../settings/settings.ts';
import { findNearest } from '../../settings/suggest.ts';
import { explainAbsence } from '../../status/refusals.ts';
import type { Look } from '../../store/look.ts';
import type { Refusal } from '../../types.ts';
import { type Copy, listCopies } from './copies.ts';
import { findInside, type InsidePackage } from './inside.ts';
import { describeFact, type Fact, RULES, ZONES } from './rules.ts';

/** The resolution of a request. */
export interface Trail {
  rule: number;
  facts: Set<Fact>;
  subject?: Subject;
  /** The code of Node's own error. */
  nodeCode?: string | undefined;
  outcome: Outcome<string>;
}

/** The answer to a request, and what it depends on. */
export interface Explanation {
  specifier: string;
  from: string;
  zone?: string;
  kind: Request['kind'];
  feature?: string;
  range?: string;
  /** The locked version. */
  locked?: string;
  rule: number;
  because: string;
  facts: string[];
  rejected?: string[];
  /** Core's copy answers, and core does not ship it. */
  isUnshipped?: true;
  /** Of a declared package: every copy in core, the store and its layers. */
  copies?: Copy[];
  /** Its copies in the closures of features that do not declare it. */
  inside?: InsidePackage[];
  file?: string;
  /** Without a file: what the import throws. */
  nodeError?: { code: string; message: string };
  /** A declared package with a similar name, of a request for one that is not declared. */
  suggestion?: string;
  refusal?: Refusal;
}

/** Composes the explanation of a request that was resolved. */
export function composeExplanation(
  { specifier, kind, parent = '' }: Request,
  { rule, facts, subject, nodeCode, outcome }: Trail,
  { settings, look }: { settings: Settings; look: Look },
): Explanation {
  const { core, declaration } = settings;
  const name = parseBareSpecifier(specifier)?.name ?? '';
  const feature = declaration.byPackage.get(name);
  const explanation: Explanation = {
    specifier,
    from: parent,
    kind,
    rule,
    because: RULES[rule] ?? '',
    facts: subject ? [...facts].map((fact) => describeFact(fact, subject, nodeCode)) : [],
  };
  if (subject !== undefined) explanation.zone = ZONES[subject.facts.zone];
  const isCores = [4, 5, 6].includes(rule) && findCorePackage(name, core.root) !== undefined;
  if (feature !== undefined && isCores && !isShipped(core, name)) explanation.isUnshipped = true;
  const { found, refusal, lookup, locator } = subject ?? {};
  if (found !== undefined && found.rejected.length > 0) explanation.rejected = found.rejected;
  const why = found === undefined ? refusal : explainAbsence(found, refusal);
  if (rule !== 7 && rule !== 9 && why !== undefined) explanation.refusal = why;
  if ('result' in outcome) explanation.file = toFile(outcome.result) ?? outcome.result;
  else {
    const { error } = outcome;
    explanation.nodeError = { code: codeOf(error) ?? '', message: messageOf(error) };
  }
  const { file } = explanation;
  const inside = name === '' ? [] : findInside(name, settings, look);
  if (inside.length > 0) explanation.inside = inside;
  if (feature !== undefined) {
    const locked = lookup && ownOf(listLocked(lookup), name);
    const { damages, isSealed = () => false } = locator?.thread.finder ?? {};
    Object.assign(explanation, {
      feature: feature.name,
      range: feature.packages[name] ?? '',
      ...(locked !== undefined && { locked }),
      copies: listCopies({
        ...{ name, feature, settings, rule, file, damages, look },
        isUnhashed: isSealed,
      }),
    });
    return explanation;
  }
  const nearest = findNearest(name, [...declaration.byPackage.keys()]);
  const isUnknown = file === undefined && inside.length === 0;
  if (isUnknown && nearest !== undefined) explanation.suggestion = nearest;
  return explanation;
}
