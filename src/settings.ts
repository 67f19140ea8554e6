/** Puts together all that is decided once, when a process starts. */
import { lstatSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { readConfig, readInstallerEnv } from './config.ts';
import { findCoreRoot, listWorkspaces, type Origin, toRealPath } from './core.ts';
import { readDeclaration } from './features.ts';
import { decideGate } from './gate.ts';
import { isRange } from './ranges.ts';
import { isWithin } from './store/layout.ts';
import type { Core, LogLevel, Settings } from './types.ts';

/** The settings, or why annex does nothing in this process. */
export type LoadedSettings =
  | { settings: Settings }
  | { settings?: undefined; log: LogLevel; reason: string; isProblem: boolean };

/**
 * Reads the environment, the operator's file and the core's package.json.
 *
 * @param origin from where the core root is looked for; ANNEX_CORE is read here
 */
export function loadSettings(origin: Omit<Origin, 'explicit'>): LoadedSettings {
  const config = readConfig();
  const found = findCoreRoot({ ...origin, explicit: config.core });
  const { log } = config;
  if (found === undefined) {
    return { log, isProblem: false, reason: 'no package.json declares features' };
  }
  if ('problem' in found) return { log, isProblem: true, reason: found.problem };
  const core: Core = { root: found.dir, realRoot: toRealPath(found.dir) };
  if (process.versions.pnp !== undefined || isThere(join(core.root, '.pnp.cjs'))) {
    return { log, isProblem: true, reason: 'Yarn Plug’n’Play cores are not supported' };
  }
  const declaration = readDeclaration(found.manifest, {
    isBuiltin,
    isRange,
    workspaces: listWorkspaces(found),
  });
  const configured = config.stores;
  const fallback =
    config.cacheDir === undefined ? [] : [join(config.cacheDir, 'annex', core.realRoot)];
  const wanted = configured.length > 0 ? configured : config.isSealed ? [] : fallback;
  const [store, ...layers] = wanted;
  const storeProblem =
    store === undefined
      ? 'no cache directory is known, and ANNEX_STORE is not set'
      : findStoreProblem(store, core);
  const gate = decideGate({
    core: declaration.allowInstalls,
    ...(config.operator && { operator: config.operator }),
    environment: config.allowInstalls,
    isSealed: config.isSealed,
    hasStore: configured.length > 0,
    storeProblem,
  });
  const warnings = [...config.warnings];
  if (store !== undefined && storeProblem !== undefined) warnings.push(storeProblem);
  if (config.operator?.problem !== undefined) {
    warnings.push(
      `${config.operator.path} (ANNEX_CONFIG) ${config.operator.problem}; installs are denied`,
    );
  }
  const usableLayers = layers.filter((layer) => {
    const problem = findStoreProblem(layer, core);
    if (problem !== undefined) warnings.push(problem);
    return problem === undefined;
  });
  return {
    settings: {
      core,
      declaration,
      stores: [
        ...(store !== undefined && storeProblem === undefined ? [store] : []),
        ...usableLayers,
      ],
      gate,
      isSealed: config.isSealed,
      timeout: config.timeout,
      log,
      installerEnv: { ...readInstallerEnv([join(core.root, '.npmrc')]), ANNEX_CORE: core.root },
      warnings,
    },
  };
}

/** Why a directory cannot be a store, whoever asks; undefined when it can. */
function findStoreProblem(store: string, core: Core): string | undefined {
  const what = `the store ${store}`;
  if (!isAbsolute(store)) return `${what} is not an absolute path`;
  const real = toRealPath(store);
  for (const [path, root] of [
    [store, core.root],
    [store, core.realRoot],
    [real, core.realRoot],
  ] as const) {
    if (isWithin(path, root)) return `${what} lies inside the core ${root}`;
    if (isWithin(root, path)) return `${what} lies above the core ${root}`;
  }
  return isFile(real) ? `${what} is a file` : undefined;
}

function isFile(path: string): boolean {
  try {
    return !lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
