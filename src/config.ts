/** The only reader of process.env, and of the operator's file. */
import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { type ReadBlocked, readBlocked } from './policy/blocked.ts';
import {
  GUARD,
  isOwnVariable,
  listReferences,
  pick,
  pickInstallerEnv,
  pickLentEnv,
  RETRY,
} from './policy/environment.ts';
import { isObject } from './policy/feature.ts';
import type { GateFacts } from './policy/gate.ts';
import { parseSwitch } from './policy/switches.ts';
import { isRange } from './ranges.ts';
import { readText } from './store/regular.ts';
import type { Blocked, LogLevel, Refusal, Verify } from './types.ts';

/** Bytes of the operator's file, and of an .npmrc. */
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

const DEFAULT_TIMEOUT = 300;
const VERIFY: readonly unknown[] = ['load', 'first-use', 'off'] satisfies Verify[];
const LEVELS: readonly string[] = ['silent', 'error', 'info', 'debug', 'json'] satisfies LogLevel[];

/** Reads the settings; never throws. Whatever is wrong becomes the restrictive value and a warning. */
export function readConfig(env: Env = process.env): Config {
  const notices: Refusal[] = [];
  const readSwitch = (name: string, restrictive: boolean): boolean | undefined => {
    const value = env[name];
    if (value === undefined) return undefined;
    const parsed = parseSwitch(value);
    if (parsed === undefined) {
      const reason = `${name} is ${JSON.stringify(value)}, not a boolean; taken as ${restrictive}`;
      notices.push(notice(reason, `set ${name} to true or false, or take it away`));
    }
    return parsed ?? restrictive;
  };
  const { timeout, isDurable, verify, blocked, ...operator } = readOperatorFile(
    env.ANNEX_CONFIG,
    notices,
  );
  return {
    core: env.ANNEX_CORE || undefined,
    stores: splitStores(env.ANNEX_STORE ?? ''),
    isSealed: readSwitch('ANNEX_SEALED', true) ?? false,
    allowInstalls: readSwitch('ANNEX_ALLOW_INSTALLS', false),
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

interface OperatorFile {
  operator: Config['operator'];
  timeout?: number;
  isDurable?: boolean;
  verify?: Verify;
  blocked?: Blocked[];
}

const OPERATOR_KEYS = new Set(['allowInstalls', 'blocked', 'timeout', 'durability', 'verify']);

function readOperatorFile(path: string | undefined, notices: Refusal[]): OperatorFile {
  if (path === undefined) return { operator: undefined };
  const fail = (problem: string): OperatorFile => ({
    operator: { path, allowInstalls: undefined, problem },
  });
  if (!isAbsolute(path)) return fail('is not an absolute path');
  if (!existsSync(path)) return fail('does not exist or cannot be reached');
  let value: unknown;
  try {
    value = JSON.parse(readText(path, MOST, 'follow'));
  } catch (error) {
    return fail(error instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read');
  }
  if (!isObject(value)) return fail('does not hold a JSON object');
  const file = value;
  for (const key of Object.keys(file)) {
    if (!OPERATOR_KEYS.has(key)) {
      const reason = `${key} in ${path} is not known to this version and does nothing`;
      notices.push(notice(reason, 'take it away, or use a version of annex that knows it'));
    }
  }
  const { blocked, unclear, problems } = readList(file, path);
  for (const problem of problems) {
    if (problem === unclear) continue;
    const reason = `${problem.key} in ${path} ${problem.reason}`;
    notices.push(notice(reason, 'correct that item'));
  }
  const operator = {
    path,
    allowInstalls: readAllowInstalls(file.allowInstalls, path, notices),
    ...(unclear && { problem: `blocks what cannot be told: ${unclear.key} ${unclear.reason}` }),
  };
  const { timeout, durability = 'sync', verify = 'load' } = file;
  const isTime = typeof timeout === 'number' && timeout > 0 && timeout <= 86_400;
  if (timeout !== undefined && !isTime) {
    const reason = `timeout in ${path} is ${JSON.stringify(timeout)}; taken as ${DEFAULT_TIMEOUT}`;
    notices.push(notice(reason, 'set it to a number of seconds, at most 86400'));
  }
  if (durability !== 'sync' && durability !== 'none') {
    const reason = `durability in ${path} is ${JSON.stringify(durability)}; taken as sync`;
    notices.push(notice(reason, 'set it to sync or none'));
  }
  const isVerify = VERIFY.includes(verify);
  if (!isVerify) {
    const reason = `verify in ${path} is ${JSON.stringify(verify)}; taken as load`;
    notices.push(notice(reason, `set it to one of ${VERIFY.join(', ')}`));
  }
  return {
    operator,
    blocked,
    isDurable: durability !== 'none',
    ...(isVerify && { verify: verify as Verify }),
    ...(isTime && { timeout }),
  };
}

const readList = (file: Record<string, unknown>, path: string): ReadBlocked =>
  readBlocked(file.blocked, { key: 'blocked', by: path, isRange });

/**
 * What the operator's file blocks at this moment.
 *
 * @param known what it blocked before: that stands when it cannot be read, or not all of it
 */
export function readOperatorBlocked(path: string, known: Blocked[]): Blocked[] {
  try {
    const file: unknown = JSON.parse(readText(path, MOST, 'follow'));
    if (!isObject(file)) return known;
    const { blocked, unclear } = readList(file, path);
    return unclear === undefined ? blocked : [...known, ...blocked];
  } catch {
    return known;
  }
}

function readAllowInstalls(value: unknown, path: string, notices: Refusal[]): boolean | undefined {
  if (value === undefined) return undefined;
  const parsed = parseSwitch(value);
  if (parsed === undefined) {
    const reason = `allowInstalls in ${path} is not a boolean; taken as false`;
    notices.push(notice(reason, 'set it to true or false'));
  }
  return parsed ?? false;
}

const notice = (reason: string, hint: string): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint,
});
