/** Reads what annex, its installers and its workers take from the environment. */
import { join } from 'node:path';
import { currentEnv, GUARD, type Variables } from '../base/environment.ts';
import { readText } from '../base/files.ts';
import {
  isAnnexVariable,
  listReferences,
  pick,
  pickInstallerEnv,
  pickLentEnv,
  RETRY,
} from './installer-env.ts';
import { type ReadSource, readSource } from './sources.ts';

/** Bytes of an .npmrc, enough for a chain of certificates in `ca`. */
export const MAX_NPMRC = 2 ** 20;

/** Reads annex's settings in the environment. */
export const readEnvironment = (env: Variables = currentEnv()): ReadSource =>
  readSource({
    kind: 'environment',
    written: pick(env, (name) => name.startsWith('ANNEX_') && name !== GUARD),
  });

/**
 * Whether Node keeps symbolic links in the paths of modules, or of the entry script alone.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/cli.html#--preserve-symlinks
 */
export const hasPreservedLinks = (env: Variables = currentEnv()): boolean =>
  env.NODE_PRESERVE_SYMLINKS === '1' ||
  env.NODE_PRESERVE_SYMLINKS_MAIN === '1' ||
  [env.NODE_OPTIONS ?? '', ...process.execArgv].some((text) => /--preserve[-_]symlinks/.test(text));

/** Whether this installer ignores remembered failures. */
export const isRetry = (env: Variables = currentEnv()): boolean => env[GUARD] === RETRY;

/** The variables of annex. Read at the start of a process, for the installers that it starts. */
export const readStartEnv = (env: Variables = currentEnv()): Record<string, string> =>
  pick(env, isAnnexVariable);

/** The variables that every worker gets, whatever its `env`. */
export const readLentEnv = (env: Variables = currentEnv()): Record<string, string> =>
  pickLentEnv(env);

/**
 * The environment of an installer: the current variables of this thread, with those that an .npmrc
 * refers to, and the variables of annex from the start of the process.
 *
 * @example readInstallerEnv({ core: { root: '/app' }, startEnv: { ANNEX_LOG: 'debug' } })
 */
export function readInstallerEnv(
  { core, startEnv }: { core: { root: string }; startEnv: Record<string, string> },
  env: Variables = currentEnv(),
): Record<string, string> {
  const all: Variables = { ...startEnv, ...pick(env, (name) => !isAnnexVariable(name)) };
  const named = all.npm_config_userconfig ?? all.NPM_CONFIG_USERCONFIG;
  const userConfig = named ?? (all.HOME && join(all.HOME, '.npmrc'));
  const paths = [join(core.root, '.npmrc'), ...(userConfig ? [userConfig] : [])];
  const texts = paths.map((path) => {
    try {
      return readText(path, MAX_NPMRC, 'follow');
    } catch {
      return '';
    }
  });
  return pickInstallerEnv(all, texts.flatMap(listReferences));
}

/** Copies the variables of another thread into the environment of this one. */
export function adoptEnv(variables: Record<string, string>): void {
  Object.assign(currentEnv(), variables);
}
