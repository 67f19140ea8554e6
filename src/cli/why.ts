/** annex why SPECIFIER [--from FILE] [--require] */
import { join, resolve } from 'node:path';
import { findCorePackage } from '../app/core.ts';
import { isShipped } from '../app/inventory.ts';
import { composeMessage } from '../base/messages.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import { codeOf, messageOf } from '../base/thrown.ts';
import { toFile } from '../resolve/destination.ts';
import type { Subject } from '../resolve/facts.ts';
import { createLocator } from '../resolve/locator.ts';
import type { Outcome, Request } from '../resolve/request.ts';
import { resolveRequest } from '../resolve/resolve.ts';
import { createThread } from '../resolve/thread.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import { explainAbsence } from '../status/refusals.ts';
import type { Refusal } from '../types.ts';
import { askNode } from './ask-node.ts';
import { type Command, readSettings } from './command.ts';
import { describeFact, type Fact, RULES, ZONES } from './rules.ts';
import { findNearest } from './suggest.ts';
import { paint } from './terminal.ts';

/** Prints the rule that answers a request, the facts that decided, and the file. */
export const why: Command = ({ args: [specifier = ''], options, print }) => {
  const settings = readSettings();
  const from = options.from ?? join(settings.core.root, 'index.js');
  const parent = toFile(from) ?? resolve(from);
  const kind = options.require === true ? 'require' : 'import';
  const request: Request = { specifier, kind, parent, hasPaths: false };
  const explanation = composeExplanation(request, follow(request, settings), settings);
  print(format(explanation), { ...explanation }, settings);
  return explanation.file === undefined ? 1 : 0;
};

/** The resolution of a request. */
interface Trail {
  rule: number;
  facts: Set<Fact>;
  subject?: Subject;
  /** The code of Node's own error. */
  nodeCode?: string | undefined;
  outcome: Outcome<string>;
}

/** Resolves like the hooks, and installs nothing. */
function follow(request: Request, settings: Settings): Trail {
  const trail: Trail = { rule: 0, facts: new Set(), outcome: { error: undefined } };
  const body = resolveRequest<string>(request, {
    locator: createLocator(createThread(settings, 'inactive')),
    fileOf: toFile,
    install: () => NOT_INSTALLED,
    trace: (decision, subject) => {
      trail.subject = subject;
      if ('rule' in decision) trail.rule = decision.rule;
      else trail.facts.add(decision.needs);
    },
  });
  try {
    let step = body.next();
    while (step.done !== true) {
      const answer = askNode(request, step.value, readInstallerEnv(settings).NODE_OPTIONS);
      if (step.value.from === undefined && 'error' in answer) trail.nodeCode = codeOf(answer.error);
      step = body.next(answer);
    }
    trail.outcome = step.value;
  } catch (error) {
    trail.outcome = { error };
  }
  return trail;
}

/** Result of the install that `why` does not start; never printed. */
const NOT_INSTALLED: Refusal = { code: 'ANNEX_INSTALL_FAILED', reason: 'not tried', hint: '' };

interface Explanation {
  specifier: string;
  from: string;
  zone?: string;
  kind: Request['kind'];
  feature?: string;
  range?: string;
  rule: number;
  because: string;
  facts: string[];
  rejected?: string[];
  /** Core's copy answers, and core does not ship it. */
  isUnshipped?: true;
  file?: string;
  /** Without a file: what the import throws. */
  nodeError?: { code: string; message: string };
  /** A declared package with a similar name, of a request for one that is not declared. */
  suggestion?: string;
  refusal?: Refusal;
}

function composeExplanation(
  { specifier, kind, parent = '' }: Request,
  { rule, facts, subject, nodeCode, outcome }: Trail,
  { core, declaration }: Settings,
): Explanation {
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
  if (feature !== undefined) {
    explanation.feature = feature.name;
    explanation.range = feature.packages[name] ?? '';
  }
  const isCores = [4, 5, 6].includes(rule) && findCorePackage(name, core.root) !== undefined;
  if (feature !== undefined && isCores && !isShipped(core, name)) explanation.isUnshipped = true;
  const { found, refusal } = subject ?? {};
  if (found !== undefined && found.rejected.length > 0) explanation.rejected = found.rejected;
  const why = found === undefined ? refusal : explainAbsence(found, refusal);
  if (rule !== 7 && rule !== 9 && why !== undefined) explanation.refusal = why;
  if ('result' in outcome) explanation.file = toFile(outcome.result) ?? outcome.result;
  else {
    const { error } = outcome;
    explanation.nodeError = { code: codeOf(error) ?? '', message: messageOf(error) };
    if (feature === undefined) {
      const nearest = findNearest(name, declaration.byPackage.keys());
      if (nearest !== undefined) explanation.suggestion = nearest;
    }
  }
  return explanation;
}

function format(explanation: Explanation): string {
  const { specifier, kind, from, zone, feature, range, rule, because, refusal } = explanation;
  const lines = [`${kind} of ${specifier} from ${from}${zone === undefined ? '' : ` (${zone})`}`];
  if (feature !== undefined) lines.push(`declared: ${range} in feature ${feature}`);
  lines.push(`${paint('bold', `rule ${rule}:`)} ${because}`);
  for (const line of explanation.facts) lines.push(`  ${line}`);
  for (const line of explanation.rejected ?? []) lines.push(`  passed over: ${line}`);
  if (explanation.isUnshipped === true) lines.push('  core has a copy that it does not ship');
  lines.push(
    explanation.file === undefined
      ? `${paint('red', 'no file:')} ${explanation.nodeError?.message}`
      : `${paint('green', 'file:')} ${explanation.file}`,
  );
  if (feature !== undefined && refusal !== undefined) {
    lines.push(composeMessage(refusal, { feature }));
  }
  if (explanation.suggestion !== undefined) lines.push(`Did you mean ${explanation.suggestion}?`);
  if (rule === 9) lines.push(`Now: import it, or annex install ${feature}`);
  return lines.join('\n');
}
