/** The chain of .npmrc files and `npm_config_*` that npm reads for a core, level by level. */
import { createRequire } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { readText } from '../base/files.ts';
import { isTransient } from '../base/thrown.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Level } from './registries.ts';

const load = createRequire(import.meta.url);

/** Bytes of an .npmrc: one with a chain of certificates in `ca` fits. */
export const MOST_NPMRC = 2 ** 20;

/** Every level that sets something, the strongest first: environment, core, user, global, npm's own. */
export interface Npmrc {
  levels: Level[];
  /** Absolute paths of the user's file and the machine's, whether they are there or not. */
  userConfig: string;
  globalConfig: string;
  /** Variables that the first two files refer to where they sign in, and that are not set. */
  unset: Unset[];
  /** Makes a path absolute as npm does; what is relative is relative to the core. */
  resolvePath(path: string): string;
}

/** A variable that is not set: npm sends the text `${NAME}` in its place. */
export interface Unset {
  name: string;
  /** The file that refers to it. */
  file: string;
}

/**
 * Reads the chain. A file that is not there or cannot be read sets nothing, as for npm.
 *
 * @param env the environment that npm would be given: nothing else is expanded or obeyed
 * @param prefix npm's default prefix, where the running Node is installed
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
  const unset: Unset[] = [];
  const read = (path: string, isReported = false): Level =>
    readLevel(path, env, (name) => isReported && unset.push({ name, file: path }));
  const builtin = read(join(prefix, 'lib', 'node_modules', 'npm', 'npmrc'));
  const environment = readEnvironment(env);
  const project = read(join(core, '.npmrc'), true);
  const path = (key: string, levels: Level[], usual: string): string => {
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

/** What the files of a core refer to and an installer that starts now does not have. */
export const findUnset = (settings: Parameters<typeof readInstallerEnv>[0]): Unset[] =>
  readNpmrc(settings.core.root, readInstallerEnv(settings)).unset;

function readEnvironment(env: Record<string, string>): Level {
  const level: Level = {};
  for (const [name, value] of Object.entries(env)) {
    if (!/^npm_config_/i.test(name) || value === '') continue;
    const key = name.slice('npm_config_'.length);
    // The keys of sign-ins are taken as they are.
    const plain = key.startsWith('//') ? key : key.replace(/(?!^)_/g, '-').toLowerCase();
    level[expand(plain, env)] = expand(value.trim(), env);
  }
  return level;
}

/** @param onUnset gets the names of variables that are not set, and that a value refers to which signs in */
function readLevel(
  path: string,
  env: Record<string, string>,
  onUnset: (name: string) => void,
): Level {
  let text: string;
  try {
    text = readText(path, MOST_NPMRC, 'follow');
  } catch (error) {
    // Without its settings another registry would be asked.
    if (isTransient(error)) throw error;
    return {};
  }
  // npm's own parser, loaded when there is something to parse.
  const { parse } = load('ini') as { parse(text: string): Level };
  const entries = Object.entries(parse(text)).map(([key, value]) => {
    const notice = /^\/\/|^_/.test(key) ? onUnset : undefined;
    const put = (one: unknown): unknown =>
      typeof one === 'string' ? expand(one.trim(), env, notice) : one;
    return [expand(key, env), Array.isArray(value) ? value.map(put) : put(value)];
  });
  return Object.fromEntries(entries) as Level;
}

/**
 * Puts in the variables: `${NAME}` stays as it is when there is none, `${NAME?}` becomes nothing,
 * and a backslash before it takes its meaning away.
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

/** A user that the machine does not know has no home; npm takes the root for one, which holds no .npmrc. */
function findHome(): string {
  try {
    // Not imported: the preload has this file in its graph, and hardly ever reads an .npmrc.
    return process.getBuiltinModule('node:os').homedir();
  } catch {
    return sep;
  }
}
