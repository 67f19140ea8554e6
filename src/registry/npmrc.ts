/** Reads the chain of .npmrc files and `npm_config_*` variables that npm reads for a core. */
import { createRequire } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { readText } from '../base/files.ts';
import { isTransient } from '../base/thrown.ts';
import { MAX_NPMRC, readInstallerEnv } from '../settings/environment.ts';
import type { NpmrcLevel } from './registries.ts';

const load = createRequire(import.meta.url);

/** All levels, the strongest first: environment, core, user, global, npm's own. */
export interface Npmrc {
  levels: NpmrcLevel[];
  /** Absolute paths of the user's file and the global one, which may be absent. */
  userConfig: string;
  globalConfig: string;
  /** Unset variables in the credentials of the first two files. */
  unset: UnsetVariable[];
  /** Makes a path absolute by npm's rules, relative to the core. */
  resolvePath(path: string): string;
}

/** An unset variable: npm sends the text `${NAME}` in its place. */
export interface UnsetVariable {
  name: string;
  /** The file that refers to it. */
  file: string;
}

/**
 * Reads the chain. As for npm, an absent or unreadable file sets nothing.
 *
 * @param env the environment of npm; no other variable counts
 * @param prefix npm's default prefix: the directory where the running Node is installed
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/config/lib/index.js `load`
 */
export function readNpmrc(
  core: string,
  env: Record<string, string>,
  prefix = dirname(dirname(process.execPath)),
): Npmrc {
  const home = env.HOME || findHome();
  const resolvePath = (path: string): string =>
    path.startsWith('~/') ? join(home, path.slice(2)) : resolve(core, path);
  const unset: UnsetVariable[] = [];
  const read = (path: string, isReported = false): NpmrcLevel =>
    readFile(path, env, (name) => isReported && unset.push({ name, file: path }));
  const builtin = read(join(prefix, 'lib', 'node_modules', 'npm', 'npmrc'));
  const environment = readNpmVariables(env);
  const project = read(join(core, '.npmrc'), true);
  const path = (key: string, levels: NpmrcLevel[], usual: string): string => {
    const value = levels.find((level) => typeof level[key] === 'string')?.[key];
    return resolvePath(typeof value === 'string' ? value : usual);
  };
  const userConfig = path('userconfig', [environment, project, builtin], '~/.npmrc');
  const user = read(userConfig, true);
  const above = [environment, project, user, builtin];
  const etc = join(path('prefix', above, prefix), 'etc', 'npmrc');
  const globalConfig = path('globalconfig', above, etc);
  const levels = [environment, project, user, read(globalConfig), builtin];
  return { levels, userConfig, globalConfig, unset, resolvePath };
}

/** Variables in the .npmrc files of a core that an installer does not have. */
export const findUnset = (settings: Parameters<typeof readInstallerEnv>[0]): UnsetVariable[] =>
  readNpmrc(settings.core.root, readInstallerEnv(settings)).unset;

function readNpmVariables(env: Record<string, string>): NpmrcLevel {
  const level: NpmrcLevel = {};
  for (const [name, value] of Object.entries(env)) {
    if (!/^npm_config_/i.test(name) || value === '') continue;
    const key = name.slice('npm_config_'.length);
    // Keys of credentials stay unchanged.
    const plain = key.startsWith('//') ? key : key.replace(/(?!^)_/g, '-').toLowerCase();
    level[expand(plain, env)] = expand(value.trim(), env);
  }
  return level;
}

/** @param onUnset receives the names of unset variables in credentials */
function readFile(
  path: string,
  env: Record<string, string>,
  onUnset: (name: string) => void,
): NpmrcLevel {
  let text: string;
  try {
    text = readText(path, MAX_NPMRC, 'follow');
  } catch (error) {
    // Without its settings npm would use another registry.
    if (isTransient(error)) throw error;
    return {};
  }
  // npm's own parser.
  const { parse } = load('ini') as { parse(text: string): NpmrcLevel };
  const entries = Object.entries(parse(text)).map(([key, value]) => {
    const report = /^\/\/|^_/.test(key) ? onUnset : undefined;
    const put = (one: unknown): unknown =>
      typeof one === 'string' ? expand(one.trim(), env, report) : one;
    return [expand(key, env), Array.isArray(value) ? value.map(put) : put(value)];
  });
  return Object.fromEntries(entries) as NpmrcLevel;
}

/**
 * Replaces variables. Without a value `${NAME}` stays and `${NAME?}` is removed; a backslash escapes both.
 *
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/config/lib/env-replace.js
 */
function expand(
  text: string,
  env: Record<string, string>,
  onUnset?: (name: string) => void,
): string {
  return text.replace(
    /(?<!\\)(\\*)\$\{([^${}?]+)(\?)?\}/g,
    (whole: string, escapes: string, name: string, modifier?: string) => {
      if (escapes.length % 2 === 1) return whole.slice((escapes.length + 1) / 2);
      if (env[name] === undefined && modifier === undefined) onUnset?.(name);
      const value = env[name] ?? (modifier === undefined ? `\${${name}}` : '');
      return escapes.slice(escapes.length / 2) + value;
    },
  );
}

/** For a user without an account npm uses the root directory, which has no .npmrc. */
function findHome(): string {
  try {
    // Not imported: the preload loads this file, and rarely reads an .npmrc.
    return process.getBuiltinModule('node:os').homedir();
  } catch {
    return sep;
  }
}
