/** Loads the settings of a process: environment, operator's file and the application's package.json. */
import { lstatSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { currentEnv, findCacheDir, type Variables } from '../base/environment.ts';
import { pathExists } from '../base/files.ts';
import { expandLayers, isLayerPattern } from '../base/layers.ts';
import type { LogLevel } from '../base/log.ts';
import { toRealPath } from '../base/paths.ts';
import { defaultStore, isWithin } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import { isInvalidKey, readDeclaration } from '../settings/declaration.ts';
import { hasPreservedLinks, readEnvironment, readStartEnv } from '../settings/environment.ts';
import { decideGate } from '../settings/gate.ts';
import { readOperatorFile } from '../settings/operator-file.ts';
import { refuseSetting } from '../settings/parse.ts';
import type { Core, Settings } from '../settings/settings.ts';
import { type ReadSource, resolveSettings } from '../settings/sources.ts';
import type { Refusal } from '../types.ts';
import { listWorkspaces } from './core.ts';
import { type CoreManifest, type CoreSearch, findCoreRoot } from './core-root.ts';

/** The settings, or why annex does nothing in this process. */
export type LoadedSettings =
  | { settings: Settings }
  | { settings?: undefined; log: LogLevel; isProblem: boolean; refusal: Refusal };

/** Options of `loadSettings`. */
export interface LoadOptions extends Pick<CoreSearch, 'script' | 'cwd' | 'self'> {
  /** The application, whose package.json need not be written yet; by default it is searched for. */
  core?: CoreManifest | undefined;
  /** The environment when the process started; by default the current one. */
  env?: Variables | undefined;
  /** A directory that is filled while an image is built: the only store, whatever the application allows. */
  baked?: string | undefined;
}

/** Reads the environment, the operator's file and the application's package.json. */
export function loadSettings(options: LoadOptions): LoadedSettings {
  const { env = currentEnv() } = options;
  const environment = readEnvironment(env);
  const { core, config, log } = resolveSettings([environment]).values;
  const refuse = (refusal: Refusal, isProblem = true): LoadedSettings => ({
    log,
    isProblem,
    refusal,
  });
  const search = { ...options, explicit: core || undefined };
  const found = options.core ?? findCoreRoot(search, isInvalidKey);
  if (found === undefined) {
    const place = options.script ?? options.cwd ?? 'a deleted working directory';
    const reason = `no package.json declares features, as seen from ${place}`;
    const hint = 'npx annex init, or set ANNEX_CORE to the directory of the application';
    return refuse(refuseSetting(reason, hint), false);
  }
  if ('problem' in found) {
    const hint = `correct that file${core === '' ? '' : ', or ANNEX_CORE'}`;
    return refuse(refuseSetting(found.problem, hint));
  }
  const invalid = findInvalidPlace(found, options.baked);
  if (invalid !== undefined) return refuse(invalid);
  const hasConfig = environment.statements.some(({ key }) => key === 'config');
  const operator = hasConfig ? [readOperatorFile(config)] : [];
  return { settings: compose(found, { ...options, env }, [environment, ...operator]) };
}

/** Why annex cannot serve the application, or cannot fill the directory to bake. */
function findInvalidPlace({ dir }: CoreManifest, baked: string | undefined): Refusal | undefined {
  if (process.versions.pnp !== undefined || pathExists(join(dir, '.pnp.cjs'))) {
    const reason = `${dir} is a Yarn Plug'n'Play project, which annex does not support`;
    return refuseSetting(reason, 'set nodeLinker: node-modules in .yarnrc.yml');
  }
  const problem = baked && findStoreProblem(baked, { root: dir, realRoot: toRealPath(dir) });
  return problem ? refuseSetting(problem, 'bake into a directory outside the core') : undefined;
}

function compose(
  found: CoreManifest,
  { script, baked, env }: LoadOptions & { env: Variables },
  above: readonly ReadSource[],
): Settings {
  const core: Core = { root: found.dir, realRoot: toRealPath(found.dir) };
  const { declaration, source } = readDeclaration({
    path: join(core.root, 'package.json'),
    manifest: found.manifest,
    workspaces: listWorkspaces(found),
  });
  const sources = [...above, source];
  const { values, resolved } = resolveSettings(sources);
  if (baked !== undefined) values.store = [baked];
  const [store, ...written] = chooseStores(values, core, findCacheDir(env));
  const describeProblem = (path: string): string | undefined => findStoreProblem(path, core);
  // A directory can be named twice: by its path, and as one of `/layers/*`.
  const layers = new Map(
    expandLayers(written).flatMap((path) =>
      path === store ? [] : [[path, describeProblem(path)]],
    ),
  );
  const storeProblem =
    store === undefined
      ? 'no cache directory is known, and ANNEX_STORE is not set'
      : (findPatternProblem(store) ?? describeProblem(store));
  const gate = decideGate({ values, resolved }, sources, {
    storeProblem,
    isConfined: process.permission?.has('child') === false,
    isBaking: baked !== undefined,
  });
  // Without ANNEX_STORE the store is a default: a process without a home directory is not a mistake.
  const isMistake = gate?.code === 'ANNEX_STORE_UNUSABLE' && values.store.length > 0;
  return {
    core,
    strayDir: findStrayDir(script, core),
    declaration,
    store: storeProblem === undefined ? store : undefined,
    layers: [...layers.keys()].filter((path) => layers.get(path) === undefined),
    gate,
    operatorFile: above.length > 1 ? values.config : undefined,
    blocked: values.blocked,
    isSealed: values.sealed,
    keepsLinks: hasPreservedLinks(env),
    reported: new SharedArrayBuffer(1 + declaration.features.size),
    timeout: values.timeout * 1000,
    isDurable: values.durability === 'sync',
    verify: values.verify,
    // An operator's file that cannot be read might set it.
    trustsLayers:
      above.every(({ closing }) => closing === undefined) &&
      resolved.every(({ key, from }) => key !== 'verify' || from.length === 0),
    log: values.log,
    startEnv: { ...readStartEnv(env), ANNEX_CORE: core.root },
    notices: [
      ...sources.flatMap(({ refusals }) => refusals),
      ...(isMistake ? [gate] : []),
      ...[...layers.values()].flatMap((problem) => refuseLayer(problem) ?? []),
    ],
    resolved,
  };
}

function findStrayDir(script: string | undefined, { root, realRoot }: Core): string | undefined {
  const isInside = script === undefined || isWithin(script, root) || isWithin(script, realRoot);
  return isInside ? undefined : dirname(script);
}

/** The configured store and its layers; by default, a store below the cache directory of the user. */
function chooseStores(
  { store, sealed }: { store: string[]; sealed: boolean },
  core: Core,
  cacheDir: string | undefined,
): string[] {
  if (store.length > 0 || sealed || cacheDir === undefined) return store;
  return [defaultStore(cacheDir, core.realRoot)];
}

const refuseLayer = (problem: string | undefined): Refusal | undefined =>
  problem === undefined
    ? undefined
    : {
        code: 'ANNEX_STORE_UNUSABLE',
        reason: `${problem}; it is left out`,
        hint: 'correct that path in ANNEX_STORE',
      };

/** Only a layer can be one of several directories. */
const findPatternProblem = (store: string): string | undefined =>
  isLayerPattern(store) ? `the store ${store} stands for several directories` : undefined;

/** Why a directory cannot be a store for any user; undefined when it can. */
function findStoreProblem(store: string, core: Core): string | undefined {
  if (store === '') return 'the first path in ANNEX_STORE, which is the store, is empty';
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

/** Why an existing path cannot become a store; undefined for a directory, and for a missing path. */
function describeKind(path: string): string | undefined {
  try {
    const stat = lstatSync(path);
    if (stat.isDirectory()) return undefined;
    // Only a dangling link remains in a real path.
    return stat.isSymbolicLink() ? 'is a dangling link' : 'is a file';
  } catch (error) {
    return codeOf(error) === 'ENOTDIR' ? 'lies below a file' : undefined;
  }
}
