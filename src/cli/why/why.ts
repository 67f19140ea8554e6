/** annex why */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf, messageOf } from '../../base/thrown.ts';
import { toFile } from '../../resolve/destination.ts';
import { createLocator } from '../../resolve/locator.ts';
import type { Request } from '../../resolve/request.ts';
import { resolveRequest } from '../../resolve/resolve.ts';
import { createThread } from '../../resolve/thread.ts';
import { readInstallerEnv } from '../../settings/environment.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Look } from '../../store/look.ts';
import { createSurvey } from '../../store/survey.ts';
import type { Refusal } from '../../types.ts';
import { type Command, readSettings } from '../shared/command.ts';
import { askNode } from './ask-node.ts';
import { composeExplanation, type Trail } from './explanation.ts';
import { formatExplanation } from './text.ts';

/** Prints the file that answers a request, the rule, the facts that decided, and the copies of the package. */
export const why: Command = ({ args: [specifier = ''], options, print }) => {
  const { from } = options;
  const asker = from === undefined ? undefined : (toFile(from) ?? resolve(from));
  const missing = asker && findAskerProblem(asker);
  if (missing) return `--from ${from}: ${missing}`;
  const settings = readSettings();
  // Without --from no file need be there: the directory decides.
  const parent = asker ?? join(settings.core.root, 'index.js');
  const kind = options.require === true ? 'require' : 'import';
  const request: Request = { specifier, kind, parent, hasPaths: false };
  const look = createSurvey();
  const explanation = composeExplanation(request, follow(request, settings, look), {
    settings,
    look,
  });
  print(formatExplanation(explanation), { ...explanation }, settings);
  return explanation.file === undefined ? 1 : 0;
};

/** Why a path is no importing file. A file that is not there gets another answer than the one that was meant. */
function findAskerProblem(path: string): string | undefined {
  try {
    return statSync(path).isDirectory()
      ? 'it is a directory, and the importing file decides'
      : undefined;
  } catch (error) {
    return messageOf(error).split(',', 1)[0];
  }
}

/** Resolves like the hooks, and installs nothing. */
function follow(request: Request, settings: Settings, look: Look): Trail {
  const trail: Trail = { rule: 0, facts: new Set(), outcome: { error: undefined } };
  const body = resolveRequest<string>(request, {
    locator: createLocator(createThread(settings, 'inactive', { look })),
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
