/** The only reader of process.env. */
import { delimiter, isAbsolute, join } from 'node:path';
import { readText } from '../base/files.ts';
import type { LogLevel } from '../base/log.ts';
import type { Blocked, Refusal } from '../types.ts';
import type { GateFacts } from './gate.ts';
import {
  GUARD,
  isOwnVariable,
  listReferences,
  pick,
  pickInstallerEnv,
  pickLentEnv,
  RETRY,
} from './installer-env.ts';
import { DEFAULT_TIMEOUT, readOperatorFile } from './operator-file.ts';
import type { Verify } from './settings.ts';
import { isNear, parseSwitch } from './switches.ts';

/** Bytes of an .npmrc. */
const MOST = 2 ** 20;

type Env = Record<string, string | undefined>;

/** What the environment and the operator's file say. */
export interface Config {
  /** ANNEX_CORE as given. */
  core: string | undefined;
  /** ANNEX_STORE, split; empty when it is not set. */
  stores: string[];
  isSealed: boolean;
  allowInstalls: boolean | undefined;
  operator: GateFacts['operator'];
  /** What the operator's file blocks. */
  blocked: Blocked[];
  /** Milliseconds. */
  timeout: number;
  /** Whether entries are synced to the disk. */
  isDurable: boolean;
  verify: Verify;
  log: LogLevel;
  /** The user's cache directory, when there is one. */
  cacheDir: string | undefined;
  /** What was wrong. */
  notices: Refusal[];
}

const LEVELS: readonly string[] = ['silent', 'error', 'info', 'debug', 'json'] satisfies LogLevel[];

/**
 * Whether Node runs a file by the path of a link that leads to it, of the script at least.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/cli.html#--preserve-symlinks
 */
export const hasPreservedLinks = (env: Env = process.env): boolean =>
  env.NODE_PRESERVE_SYMLINKS === '1' ||
  env.NODE_PRESERVE_SYMLINKS_MAIN === '1' ||
  [env.NODE_OPTIONS ?? '', ...process.execArgv].some((text) => /--preserve[-_]symlinks/.test(text));

/** Reads the settings; never throws. Whatever is wrong becomes the restrictive value and a warning. */
export function readConfig(env: Env = process.env): Config {
  const notices: Refusal[] = [];
  const readSwitch = (name: string, restrictive: boolean): boolean | undefined => {
    const value = env[name];
    if (value === undefined) return undefined;
    const parsed = parseSwitch(value);
    if (parsed === undefined) {
      const reason = `${name} is ${JSON.stringify(value)}, not a boolean; taken as ${restrictive}`;
      notices.push(notice(reason, `set ${name} to true or false, or unset it`));
    }
    return parsed ?? restrictive;
  };
  const isMeant = (name: string): boolean => hasMisspelling(env, name, notices);
  const { timeout, isDurable, verify, blocked, ...operator } = readOperatorFile(
    env.ANNEX_CONFIG,
    notices,
  );
  return {
    core: env.ANNEX_CORE || undefined,
    stores: splitStores(env.ANNEX_STORE ?? ''),
    isSealed: isMeant('ANNEX_SEALED') || (readSwitch('ANNEX_SEALED', true) ?? false),
    allowInstalls: isMeant('ANNEX_ALLOW_INSTALLS')
      ? false
      : readSwitch('ANNEX_ALLOW_INSTALLS', false),
    ...operator,
    blocked: blocked ?? [],
    timeout: (timeout ?? DEFAULT_TIMEOUT) * 1000,
    isDurable: isDurable ?? true,
    verify: verify ?? 'load',
    log: readLevel(env.ANNEX_LOG, notices),
    cacheDir: findCacheDir(env),
    notices,
  };
}

const VARIABLES: ReadonlySet<string> = new Set([
  'ANNEX_STORE',
  'ANNEX_SEALED',
  'ANNEX_ALLOW_INSTALLS',
  'ANNEX_CONFIG',
  'ANNEX_CORE',
  'ANNEX_LOG',
  GUARD,
]);

/** Whether a variable has a name that may have been meant as this switch, with a warning. */
function hasMisspelling(env: Env, name: string, notices: Refusal[]): boolean {
  const found = Object.keys(env).find(
    (other) => other.startsWith('ANNEX_') && !VARIABLES.has(other) && isNear(other, name),
  );
  if (found === undefined) return false;
  const reason = `${found} is not a variable of annex; it is taken for ${name}, at its restrictive value`;
  notices.push(notice(reason, `rename it to ${name}, or unset it`));
  return true;
}

/** Whether this process was started by annex to install something. */
export const isInstaller = (env: Env = process.env): boolean => env[GUARD] !== undefined;

/** Whether it is to try at once what failed a moment ago. */
export const isRetry = (env: Env = process.env): boolean => env[GUARD] === RETRY;

/** What an installer gets that is settled when the process starts: annex's own settings. */
export const readStartEnv = (env: Env = process.env): Record<string, string> =>
  pick(env, isOwnVariable);

/** What workers get of this environment, with whatever `env` they are started. */
export const readLentEnv = (env: Env = process.env): Record<string, string> => pickLentEnv(env);

/**
 * The environment of an installer that starts now, in this thread: its variables as they are at this
 * moment, those that an .npmrc refers to included, and annex's own settings as they were at the start.
 *
 * @example readInstallerEnv({ core: { root: '/app' }, startEnv: { ANNEX_LOG: 'debug' } })
 */
export function readInstallerEnv(
  { core, startEnv }: { core: { root: string }; startEnv: Record<string, string> },
  env: Env = process.env,
): Record<string, string> {
  const all: Env = { ...startEnv, ...pick(env, (name) => !isOwnVariable(name)) };
  const pointed = all.npm_config_userconfig ?? all.NPM_CONFIG_USERCONFIG;
  const own = pointed ?? (all.HOME && join(all.HOME, '.npmrc'));
  const texts = [join(core.root, '.npmrc'), ...(own ? [own] : [])].map((path) => {
    try {
      return readText(path, MOST, 'follow');
    } catch {
      return '';
    }
  });
  return pickInstallerEnv(all, texts.flatMap(listReferences));
}

/** Takes over the variables of another thread into this thread's own copy of the environment. */
export function adoptEnv(variables: Record<string, string>): void {
  Object.assign(process.env, variables);
}

/** An empty first place is a store that is missing, not a layer that becomes one. */
function splitStores(list: string): string[] {
  const [store = '', ...rest] = list.split(delimiter);
  const layers = rest.filter((path) => path !== '');
  return store === '' && layers.length === 0 ? [] : [store, ...layers];
}

function readLevel(value: string | undefined, notices: Refusal[]): LogLevel {
  if (value === undefined || value === '') return 'info';
  if (LEVELS.includes(value)) return value as LogLevel;
  const reason = `ANNEX_LOG is ${JSON.stringify(value)}; taken as info`;
  notices.push(notice(reason, `set it to one of ${LEVELS.join(', ')}`));
  return 'info';
}

function findCacheDir(env: Env): string | undefined {
  const xdg = env.XDG_CACHE_HOME;
  if (xdg !== undefined && isAbsolute(xdg)) return xdg;
  const home = env.HOME;
  return home !== undefined && isAbsolute(home) ? join(home, '.cache') : undefined;
}

const notice = (reason: string, hint: string): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint,
});
