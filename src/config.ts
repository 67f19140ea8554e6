/** The only reader of process.env, and of the operator's file. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { GUARD, listReferences, pickInstallerEnv } from './environment.ts';
import type { GateFacts } from './gate.ts';
import { parseSwitch } from './switches.ts';
import type { LogLevel } from './types.ts';

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
  /** Milliseconds. */
  timeout: number;
  log: LogLevel;
  /** The user's cache directory, when there is one. */
  cacheDir: string | undefined;
  /** What was wrong, one clause each. */
  warnings: string[];
}

const DEFAULT_TIMEOUT = 300;
const LEVELS: readonly string[] = ['silent', 'error', 'info', 'debug', 'json'] satisfies LogLevel[];

/** Reads the settings; never throws. Whatever is wrong becomes the restrictive value and a warning. */
export function readConfig(env: Env = process.env): Config {
  const warnings: string[] = [];
  const readSwitch = (name: string, restrictive: boolean): boolean | undefined => {
    const value = env[name];
    if (value === undefined) return undefined;
    const parsed = parseSwitch(value);
    if (parsed === undefined) {
      warnings.push(`${name} is ${JSON.stringify(value)}, not a boolean; taken as ${restrictive}`);
    }
    return parsed ?? restrictive;
  };
  const { timeout, ...operator } = readOperatorFile(env.ANNEX_CONFIG, warnings);
  return {
    core: env.ANNEX_CORE || undefined,
    stores: (env.ANNEX_STORE ?? '').split(delimiter).filter((path) => path !== ''),
    isSealed: readSwitch('ANNEX_SEALED', true) ?? false,
    allowInstalls: readSwitch('ANNEX_ALLOW_INSTALLS', false),
    ...operator,
    timeout: (timeout ?? DEFAULT_TIMEOUT) * 1000,
    log: readLevel(env.ANNEX_LOG, warnings),
    cacheDir: findCacheDir(env),
    warnings,
  };
}

/** Whether this process was started by annex to install something. */
export const isInstaller = (env: Env = process.env): boolean => env[GUARD] !== undefined;

/**
 * The environment of an installer process, references of the given .npmrc files included.
 *
 * @param npmrcs paths; those that are not there are passed over
 */
export function readInstallerEnv(npmrcs: string[], env: Env = process.env): Record<string, string> {
  const own = env.HOME === undefined ? [] : [join(env.HOME, '.npmrc')];
  const texts = [...npmrcs, ...own].map((path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  });
  return pickInstallerEnv(env, texts.flatMap(listReferences));
}

function readLevel(value: string | undefined, warnings: string[]): LogLevel {
  if (value === undefined || value === '') return 'info';
  if (LEVELS.includes(value)) return value as LogLevel;
  warnings.push(`ANNEX_LOG is ${JSON.stringify(value)}, not one of ${LEVELS.join(', ')}`);
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
}

const OPERATOR_KEYS = new Set(['allowInstalls', 'timeout']);

function readOperatorFile(path: string | undefined, warnings: string[]): OperatorFile {
  if (path === undefined) return { operator: undefined };
  const fail = (problem: string): OperatorFile => ({
    operator: { path, allowInstalls: undefined, problem },
  });
  if (!isAbsolute(path)) return fail('is not an absolute path');
  if (!existsSync(path)) return fail('does not exist or cannot be reached');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return fail(error instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail('does not hold a JSON object');
  }
  const file = value as Record<string, unknown>;
  for (const key of Object.keys(file)) {
    if (!OPERATOR_KEYS.has(key)) {
      warnings.push(`${path}: ${key} is not known to this version and does nothing`);
    }
  }
  const operator = {
    path,
    allowInstalls: readAllowInstalls(file.allowInstalls, path, warnings),
  };
  const { timeout } = file;
  if (timeout === undefined) return { operator };
  if (typeof timeout === 'number' && timeout > 0 && timeout <= 86_400) return { operator, timeout };
  warnings.push(`${path}: timeout is not a number of seconds from 1 to 86400`);
  return { operator };
}

function readAllowInstalls(value: unknown, path: string, warnings: string[]): boolean | undefined {
  if (value === undefined) return undefined;
  const parsed = parseSwitch(value);
  if (parsed === undefined) {
    warnings.push(`${path}: allowInstalls is not a boolean; taken as false`);
  }
  return parsed ?? false;
}
