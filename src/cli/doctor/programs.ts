/** The running programs of an application, from /proc, and whether they have annex. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { currentEnv, GUARD, type Variables } from '../../base/environment.ts';
import { readText } from '../../base/files.ts';
import { toRealPath } from '../../base/paths.ts';
import { isWithin } from '../../base/store-layout.ts';
import { readEnvironment } from '../../settings/environment.ts';
import { readWords } from '../../settings/installer-env.ts';
import type { Core } from '../../settings/settings.ts';
import { resolveSettings } from '../../settings/sources.ts';
import { type Finding, ok, warning } from '../shared/findings.ts';
import { plural } from '../shared/format.ts';
import { findAnnexDir, listPreloads } from './preloads.ts';

/** A process that runs Node. */
interface Program {
  pid: string;
  /** Real path of its script. */
  script: string;
  /** What it preloads, by its environment and its arguments. */
  words: string[];
  cwd: string;
  variables: Map<string, string>;
}

/** What annex makes of the variables besides ANNEX_CORE that decide what it does in a process. */
function readDecisive(env: Variables): Record<string, unknown> {
  const { store, sealed, allowInstalls } = resolveSettings([readEnvironment(env)]).values;
  const { ANNEX_CONFIG: config } = env;
  return {
    ANNEX_STORE: store.map((path) => path && toRealPath(path)),
    ANNEX_SEALED: sealed,
    ANNEX_ALLOW_INSTALLS: allowInstalls,
    ANNEX_CONFIG: config && toRealPath(config),
  };
}

/** Options of Node whose value is the next argument. */
const WITH_VALUE =
  /^(?:-r|-C|--(?:require|import|loader|experimental-loader|conditions|env-file))$/;

/**
 * NODE_OPTIONS of the first process of a container; undefined if it cannot be read, and in that of another user:
 * whoever starts Node with these options runs what they name.
 */
export function readOptionsOfInit(): string | undefined {
  if (process.pid === 1) return undefined;
  try {
    const { uid } = statSync('/proc/1');
    const isTrusted = uid === 0 || uid === process.geteuid?.();
    return isTrusted ? readVariables('1')?.get('NODE_OPTIONS') : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the programs of the application that run now were started with annex. */
export function checkPrograms({ realRoot }: Core): Finding[] {
  const programs = listPrograms().filter(
    ({ script }) => isWithin(script, realRoot) && !script.includes('/node_modules/'),
  );
  const without = programs.filter(
    ({ words, cwd, script }) =>
      !listPreloads(words).some((each) => findAnnexDir(each, cwd) !== undefined) &&
      !isRegistering(script),
  );
  const loaded = programs.length - without.length;
  return [
    ...(loaded > 0
      ? [ok('loader.programs', `${plural(loaded, 'running program')} with annex`)]
      : []),
    ...programs.flatMap((program) => checkVariables(program, realRoot)),
    ...without.map(({ pid, script }) =>
      warning(
        'loader.programs',
        `process ${pid} (${script}) runs without annex, unless a file of it imports annex/register`,
        'pass NODE_OPTIONS on to it: with-contenv in s6-overlay',
      ),
    ),
  ];
}

/** Whether a program has the settings that the other findings are about. */
function checkVariables({ pid, script, cwd, variables }: Program, realRoot: string): Finding[] {
  const core = variables.get('ANNEX_CORE');
  const [its, ours] = [Object.fromEntries(variables), currentEnv()].map(readDecisive);
  const names = Object.keys(ours ?? {}).filter(
    (name) => JSON.stringify(its?.[name]) !== JSON.stringify(ours?.[name]),
  );
  // Without it, the program finds its application above its script.
  if (core && toRealPath(resolve(cwd, core)) !== realRoot) names.push('ANNEX_CORE');
  if (names.length === 0) return [];
  const text = `process ${pid} (${script}) has another value of ${names.join(', ')} than this process`;
  const remedy =
    'run npx annex doctor with the environment of that process, or start that process again';
  return [warning('loader.variables', text, remedy)];
}

/** Bytes of a script that is searched. */
const MAX_SCRIPT = 2 ** 20;

/** Whether a script loads annex itself. */
function isRegistering(script: string): boolean {
  try {
    return readText(script, MAX_SCRIPT, 'follow').includes('annex/register');
  } catch {
    return false;
  }
}

/** The processes of this user; none on other systems than Linux. */
function listPrograms(): Program[] {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids
      .filter((pid) => pid !== String(process.pid))
      .flatMap((pid) => readProgram(pid) ?? []);
  } catch {
    return [];
  }
}

function readProgram(pid: string): Program | undefined {
  try {
    const [command = '', ...args] = readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0');
    const variables = readVariables(pid);
    const isNode = /^node/.test(basename(command));
    if (!isNode || variables === undefined || variables.has(GUARD)) return undefined;
    const index = args.findIndex(
      (arg, at) => !arg.startsWith('-') && !WITH_VALUE.test(args[at - 1] ?? ''),
    );
    if (index === -1 || args[index] === '') return undefined;
    const cwd = readlinkSync(join('/proc', pid, 'cwd'));
    const script = toRealPath(resolve(cwd, args[index] ?? ''));
    const words = [...readWords(variables.get('NODE_OPTIONS') ?? ''), ...args.slice(0, index)];
    return { pid, script, words, cwd, variables };
  } catch {
    // It has ended, or belongs to another user.
    return undefined;
  }
}

function readVariables(pid: string): Map<string, string> | undefined {
  try {
    const text = readFileSync(join('/proc', pid, 'environ'), 'utf8');
    const pairs = text.split('\0').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    });
    return new Map(pairs);
  } catch {
    return undefined;
  }
}
