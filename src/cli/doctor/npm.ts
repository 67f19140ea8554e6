/** The checks of `annex doctor` of npm and of registries. Only --online makes requests. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { toRefusal } from '../../base/error.ts';
import { refuseByFileError } from '../../base/file-error.ts';
import { startTimeLimit } from '../../base/time-limit.ts';
import { fetchPackument, MAX_PACKUMENT, readAnswer } from '../../registry/answer.ts';
import { createClient } from '../../registry/client.ts';
import { nameUnset } from '../../registry/failure.ts';
import { REGISTRY_HINTS } from '../../registry/hints.ts';
import { type NpmSettings, readNpmSettings } from '../../registry/npm-settings.ts';
import { findUnset, type Npmrc, readNpmrc } from '../../registry/npmrc.ts';
import { toSettingText } from '../../registry/registries.ts';
import { readInstallerEnv } from '../../settings/environment.ts';
import { isUsable } from '../../status/status.ts';
import type { Examined } from '../shared/examine.ts';
import { type Finding, ok, problem, refused, warning } from '../shared/findings.ts';

/** Whether npm is there if it is needed, and with --online whether each registry answers. */
export async function checkNpm(examined: Examined, isOnline: boolean): Promise<Finding[]> {
  const { settings } = examined;
  const env = readInstallerEnv(settings);
  const npm = readNpmSettings(settings.core.root, env);
  const unset = findUnset(settings).map(({ name, file }) =>
    warning('npm.variables', `${file} refers to ${name}, which is not set`, `set ${name}`),
  );
  const requests = isOnline ? await checkReachable(examined, npm) : [];
  const cafiles = checkCafiles(readNpmrc(settings.core.root, env));
  return [...checkProgram(examined, npm, env.PATH), ...unset, ...cafiles, ...requests];
}

/** As for npm, a `cafile` that does not exist sets nothing, so that a registry may seem untrusted for no reason. */
function checkCafiles({ levels, resolvePath }: Npmrc): Finding[] {
  const paths = levels.flatMap(({ cafile }) => toSettingText(cafile) ?? []).map(resolvePath);
  return [...new Set(paths)]
    .filter((path) => !existsSync(path))
    .map((path) =>
      warning(
        'npm.cafile',
        `npm's setting cafile names ${path}, which does not exist: npm and annex ignore it`,
        'mount that file, or correct npm_config_cafile or cafile in an .npmrc',
      ),
    );
}

/** Locks, and features with a lock and without scripts, need no npm. */
function checkProgram({ settings, features }: Examined, npm: NpmSettings, path = ''): Finding[] {
  if (settings.gate !== undefined) return [];
  const needing = features.filter(({ lookup: { feature, readLock }, status }) => {
    if (status.where !== 'missing') return false;
    const isIndirect = Object.keys(feature.packages).some(
      (name) => npm.indirect(npm.registryFor(name), name) !== undefined,
    );
    return isIndirect || feature.scripts.length > 0 || !readLock().isLocked;
  });
  if (needing.length === 0) return [];
  const dirs = [...path.split(delimiter), dirname(process.execPath)];
  const dir = dirs.find((one) => one !== '' && existsSync(join(one, 'npm')));
  if (dir !== undefined) return [ok('npm.program', join(dir, 'npm'))];
  const names = needing.map(({ status }) => status.feature).join(', ');
  const text = `npm is not in PATH, and installs of ${names} need it`;
  return [problem('npm.program', text, 'ship npm, or lock those features without scripts')];
}

/** Milliseconds for the answer of a registry. */
const LIMIT = 20_000;

/** Asks each registry for a package that is not installed, or for any other one. */
async function checkReachable(
  { settings, features }: Examined,
  npm: NpmSettings,
): Promise<Finding[]> {
  if (npm.offline) {
    return [
      warning('npm.registry', 'npm is set to use its cache alone', 'unset npm_config_offline'),
    ];
  }
  const sorted = [...features].sort(
    (a, b) => Number(isUsable(a.status)) - Number(isUsable(b.status)),
  );
  const byRegistry = new Map<string, string>();
  for (const name of sorted.flatMap(({ lookup }) => Object.keys(lookup.feature.packages))) {
    const registry = npm.registryFor(name);
    if (!byRegistry.has(registry)) byRegistry.set(registry, name);
  }
  const client = createClient(npm, startTimeLimit(LIMIT), tmpdir());
  const ask = async ([registry, name]: [string, string]): Promise<Finding> => {
    try {
      readAnswer(await fetchPackument(client, registry, { name }), MAX_PACKUMENT);
      return ok('npm.registry', `${registry} has ${name}`);
    } catch (error) {
      const refusal = toRefusal(error, () => refuseRequest(error, registry));
      return refused('npm.registry', nameUnset(refusal, findUnset(settings)));
    }
  };
  try {
    return await Promise.all([...byRegistry].map(ask));
  } finally {
    client.close();
  }
}

/** The refusal for a request that did not end, or whose answer could not be kept. */
function refuseRequest(error: unknown, registry: string) {
  return error instanceof DOMException
    ? {
        code: 'ANNEX_TIMEOUT' as const,
        reason: `${registry} did not answer within ${LIMIT / 1000} s`,
        hint: REGISTRY_HINTS.offline,
      }
    : refuseByFileError(error, tmpdir());
}
