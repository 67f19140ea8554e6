/** Puts together all that is decided once, when a process starts. */
import { lstatSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { pathExists } from '../base/files.ts';
import type { LogLevel } from '../base/log.ts';
import { isRange } from '../base/semver.ts';
import { isWithin } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import { readDeclaration } from '../settings/declaration.ts';
import {
  type Config,
  hasPreservedLinks,
  readConfig,
  readStartEnv,
} from '../settings/environment.ts';
import type { Problem } from '../settings/feature.ts';
import type { Gate } from '../settings/gate.ts';
import { decideGate } from '../settings/gate.ts';
import type { Core, Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import {
  findCoreRoot,
  listWorkspaces,
  type Origin,
  type ReadManifest,
  toRealPath,
} from './core.ts';

/** The settings, or why annex does nothing in this process. */
export type LoadedSettings =
  | { settings: Settings }
  | { settings?: undefined; log: LogLevel; isProblem: boolean; refusal: Refusal };

/**
 * Reads the environment, the operator's file and the core's package.json.
 *
 * @param origin from where the core root is looked for; ANNEX_CORE is read here. `core`: it is this
 *   one, with a package.json that need not be written yet
 * @param baked a directory that is filled on purpose while an image is built: it is the one store,
 *   and what the core allows at run time has no say
 */
export function loadSettings(
  origin: Pick<Origin, 'script' | 'cwd' | 'self'> & { core?: ReadManifest | undefined },
  baked?: string,
): LoadedSettings {
  const read = readConfig();
  const config: Config = baked === undefined ? read : { ...read, stores: [baked] };
  const found = origin.core ?? findCoreRoot({ ...origin, explicit: config.core });
  const { log } = config;
  const refuse = (isProblem: boolean, reason: string, hint: string): LoadedSettings => ({
    log,
    isProblem,
    refusal: { code: 'ANNEX_INVALID_CONFIG', reason, hint },
  });
  if (found === undefined) {
    const reason = `no package.json declares features, as seen from ${origin.script ?? origin.cwd ?? 'a working directory that was deleted'}`;
    return refuse(false, reason, 'annex add NAME@RANGE, or name the application by ANNEX_CORE');
  }
  if ('problem' in found) {
    const place = config.core === undefined ? '' : ', or ANNEX_CORE';
    return refuse(true, found.problem, `correct that file${place}`);
  }
  const core: Core = { root: found.dir, realRoot: toRealPath(found.dir) };
  if (process.versions.pnp !== undefined || pathExists(join(core.root, '.pnp.cjs'))) {
    const reason = `${core.root} is a Yarn Plug'n'Play project, which annex does not support`;
    return refuse(true, reason, 'set nodeLinker: node-modules in .yarnrc.yml');
  }
  const unfit = baked === undefined ? undefined : findStoreProblem(baked, core);
  if (unfit !== undefined) {
    return refuse(true, unfit, 'annex bake DIRECTORY, with one outside the core');
  }
  const declaration = readDeclaration(found.manifest, {
    isBuiltin,
    isRange,
    workspaces: listWorkspaces(found),
  });
  const [store, ...layers] = listStores(config, core);
  const gate = decideGate({
    core: baked === undefined ? declaration.allowInstalls : undefined,
    unclear: declaration.unclear && describeKey(declaration.unclear, core),
    ...(config.operator && { operator: config.operator }),
    environment: config.allowInstalls,
    isSealed: config.isSealed,
    hasStore: config.stores.length > 0,
    storeProblem:
      store === undefined
        ? 'no cache directory is known, and ANNEX_STORE is not set'
        : findStoreProblem(store, core),
    isConfined: process.permission?.has('child') === false,
  });
  const isStore = (path: string): boolean => findStoreProblem(path, core) === undefined;
  return {
    settings: {
      core,
      strayDir: findStrayDir(origin.script, core),
      declaration,
      store: store !== undefined && isStore(store) ? store : undefined,
      layers: layers.filter(isStore),
      gate,
      operatorFile: config.operator?.path,
      blocked: config.blocked,
      isSealed: config.isSealed,
      keepsLinks: hasPreservedLinks(),
      reported: new SharedArrayBuffer(declaration.features.size),
      timeout: config.timeout,
      isDurable: config.isDurable,
      verify: config.verify,
      log,
      startEnv: { ...readStartEnv(), ANNEX_CORE: core.root },
      notices: [
        ...config.notices,
        ...declaration.problems.map((problem) => refuseKey(problem, core)),
        ...(isMistake(gate, config) ? [gate.refusal] : []),
        ...layers.flatMap((layer) => refuseLayer(findStoreProblem(layer, core)) ?? []),
      ],
    },
  };
}

function findStrayDir(script: string | undefined, { root, realRoot }: Core): string | undefined {
  if (script === undefined || isWithin(script, root) || isWithin(script, realRoot))
    return undefined;
  return dirname(script);
}

/**
 * Whether the gate is closed by a setting that somebody got wrong. Without ANNEX_STORE nobody chose the
 * store: a process without a home directory has none, and reads why when it asks for a feature.
 */
const isMistake = (gate: Gate, { stores }: Config): gate is Gate & { isAllowed: false } =>
  !gate.isAllowed &&
  (gate.refusal.code === 'ANNEX_INVALID_CONFIG' ||
    (gate.refusal.code === 'ANNEX_STORE_UNUSABLE' && stores.length > 0));

/** The store and its layers as configured; without, one below the user's cache directory. */
function listStores({ stores, isSealed, cacheDir }: Config, core: Core): string[] {
  if (stores.length > 0 || isSealed || cacheDir === undefined) return stores;
  return [join(cacheDir, 'annex', core.realRoot)];
}

const describeKey = ({ key, reason }: Problem, core: Pick<Core, 'root'>): string =>
  `${key} in ${core.root}/package.json ${reason}`;

/** Describes a wrong key of package.json as a refusal. */
export const refuseKey = (problem: Problem, core: Pick<Core, 'root'>): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason: describeKey(problem, core),
  hint: 'correct that key',
});

const refuseLayer = (problem: string | undefined): Refusal | undefined =>
  problem === undefined
    ? undefined
    : {
        code: 'ANNEX_STORE_UNUSABLE',
        reason: `${problem}; it is left out`,
        hint: 'correct ANNEX_STORE',
      };

/** Why a directory cannot be a store, whoever asks; undefined when it can. */
function findStoreProblem(store: string, core: Core): string | undefined {
  if (store === '') return 'the first place in ANNEX_STORE, which is the store, is empty';
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
  const kind = describeKind(real);
  return kind && `${what} ${kind}`;
}

/** Why something that is there cannot become a store; undefined for a directory, and for nothing. */
function describeKind(path: string): string | undefined {
  try {
    const stat = lstatSync(path);
    if (stat.isDirectory()) return undefined;
    // Its real path is its own only when it leads nowhere.
    return stat.isSymbolicLink() ? 'is a link that leads nowhere' : 'is a file';
  } catch (error) {
    return codeOf(error) === 'ENOTDIR' ? 'lies below a file' : undefined;
  }
}
