/** annex why SPECIFIER [--from FILE] [--require] */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execaSync } from 'execa';
import { messageOf } from '../errors.ts';
import { createLocator } from '../hooks/locator.ts';
import { type Outcome, type Request, resolveRequest, type Seen } from '../hooks/resolve.ts';
import { toFile } from '../hooks/sync.ts';
import { createThread } from '../thread.ts';
import type { Refusal } from '../types.ts';
import { type Command, findSettings } from './command.ts';
import { RULES } from './rules.ts';

/** Tells which rule of the decision table answers a request, and what was looked at. */
export const why: Command = ({ args: [specifier, ...rest], options, print }) => {
  if (specifier === undefined || rest.length > 0) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  const parent = resolve(options.from ?? join(settings.core.root, 'index.js'));
  const kind = options.require === true ? 'require' : 'import';
  const request: Request = { specifier, kind, parent, hasPaths: false };
  const thread = createThread(settings, 'inactive');
  let rule = 0;
  let last: Seen | undefined;
  const looked: string[] = [];
  const body = resolveRequest<string>(request, {
    locator: createLocator(thread),
    fileOf: (result) => toFile(result),
    install: () => refuseHere(specifier),
    trace: (decision, seen) => {
      last = seen;
      rule = 'rule' in decision ? decision.rule : rule;
      if ('look' in decision) looked.push(decision.look);
    },
  });
  let outcome: Outcome<string>;
  try {
    let step = body.next();
    while (step.done !== true) step = body.next(askNode(request, step.value));
    outcome = step.value;
  } catch (error) {
    outcome = { error };
  }
  const found = 'result' in outcome ? (toFile(outcome.result) ?? outcome.result) : undefined;
  const report = {
    specifier,
    from: parent,
    kind,
    rule,
    because: RULES[rule] ?? '',
    looked: looked.map((fact) => `${fact}: ${describeFact(fact, last)}`),
    ...(found !== undefined && { file: found }),
    ...('error' in outcome && { error: messageOf(outcome.error) }),
    ...(last?.refusal !== undefined && { refusal: last.refusal }),
    ...(last?.rejected !== undefined && last.rejected.length > 0 && { rejected: last.rejected }),
  };
  print(format(report, last), report);
  return found === undefined ? 1 : 0;
};

const SCRIPT = `
import { createRequire } from 'node:module';
const [specifier, parent, kind] = process.argv.slice(1);
const print = (answer) => console.log(JSON.stringify(answer));
try {
  print({ result: kind === 'require' ? createRequire(parent).resolve(specifier) : import.meta.resolve(specifier, parent) });
} catch ({ code, message }) {
  print({ error: { code, message } });
}`;

/** Node itself, without annex, in a process of its own. */
function askNode({ specifier, kind, parent }: Request, from: string | undefined): Outcome<string> {
  const url = pathToFileURL(from ?? parent ?? '').href;
  const flags = ['--no-warnings', '--experimental-import-meta-resolve', '--input-type=module'];
  const { stdout } = execaSync(
    process.execPath,
    [...flags, '-e', SCRIPT, '--', specifier, url, kind],
    {
      env: { NODE_OPTIONS: '' },
    },
  );
  const answer = JSON.parse(stdout) as
    | { result: string }
    | { error: { message: string; code: string } };
  if ('error' in answer) {
    return { error: Object.assign(new Error(answer.error.message), { code: answer.error.code }) };
  }
  const { result } = answer;
  const file = result.startsWith('file:') ? fileURLToPath(result) : result;
  // import.meta.resolve does not look whether the file is there; import does.
  if (kind === 'import' && result.startsWith('file:') && !existsSync(file)) {
    return { error: new Error(`Cannot find module '${file}'`) };
  }
  return { result: file.startsWith('/') ? pathToFileURL(file).href : result };
}

const refuseHere = (specifier: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason: 'it is not installed; an import would install it',
  hint: `annex install, or import ${specifier}`,
});

function describeFact(fact: string, seen: Seen | undefined): string {
  if (fact === 'isOwned' && seen?.owner !== undefined) return seen.owner;
  if (fact === 'hasEntry' && seen?.entry !== undefined) return seen.entry.dir;
  if (fact === 'mayInstall' && seen?.refusal !== undefined) return seen.refusal.reason;
  const value = seen?.evidence[fact as Exclude<keyof Seen['evidence'], 'hasTried'>];
  return value === undefined ? 'no' : String(value);
}

function format(
  report: Record<string, unknown> & { looked: string[] },
  seen: Seen | undefined,
): string {
  const { specifier, kind, from, rule, because, looked, file, error } = report;
  return [
    `${kind} of ${specifier} from ${from}`,
    `rule ${rule}: ${because}`,
    ...looked.map((line) => `  looked at ${line}`),
    ...(seen?.rejected ?? []).map((line) => `  passed over ${line}`),
    file === undefined ? `nothing: ${error}` : `file: ${file}`,
    ...(seen?.refusal === undefined
      ? []
      : [`${seen.refusal.code}: ${seen.refusal.reason}. Now: ${seen.refusal.hint}`]),
  ].join('\n');
}
