/** Finds the application, and the names that it may declare. The second stage reads the rest of its settings. */
import { resolve } from 'node:path';
import { type CoreManifest, findCoreRoot, hasDeclaration } from '../app/core-root.ts';
import { resolveScript } from '../app/script.ts';
import { findCacheDir, type Variables } from '../base/environment.ts';
import { expandLayers } from '../base/layers.ts';
import { isMainThread } from '../base/main-thread.ts';
import { findHere } from '../base/own-files.ts';
import { toRealPath } from '../base/paths.ts';
import { isObject } from '../base/shape.ts';
import { defaultStore, listPrefixes, splitStores } from '../base/store-layout.ts';
import type { Start } from '../hooks/activate.ts';
import { getSharedSettings } from '../resolve/active.ts';
import type { Settings } from '../settings/settings.ts';
import { isPackageManager } from './inert.ts';

/** The second stage. */
export type SecondStage = typeof import('../hooks/activate.ts');

/** What a start remembers. */
export interface Origin extends Pick<Start, 'nextResolveFilename' | 'env'> {
  /** The entry script as it was given. */
  script: string | undefined;
  cwd: string | undefined;
}

/** What the first stage knows about the application. */
export interface Declared {
  start: Start;
  /** Every name that a feature may list, valid or not. */
  names: ReadonlySet<string>;
  /** Whether only the second stage can judge the application's package.json. */
  isDoubtful: boolean;
  /** Lists how the paths and the file URLs of everything in a store begin. */
  listPrefixes: () => string[];
}

/**
 * Finds the application.
 *
 * @returns undefined in a package manager, and when no package.json above declares features
 */
export function findDeclared(
  { cwd, env, nextResolveFilename, ...origin }: Origin,
  load: () => SecondStage,
): Declared | undefined {
  const script = resolveScript(origin.script);
  if (script !== undefined && isPackageManager(script)) return undefined;
  const settings = isMainThread ? undefined : getSharedSettings();
  if (settings === null) return undefined;
  if (settings !== undefined) {
    const names = new Set(settings.declaration.byPackage.keys());
    const start: Start = { script, env, core: undefined, settings, nextResolveFilename };
    return {
      start,
      names,
      isDoubtful: false,
      listPrefixes: () => listPrefixes(listRoots(settings)),
    };
  }
  const explicit = env.ANNEX_CORE || undefined;
  const found = findCoreRoot({ explicit, script, cwd, self: findHere() }, () => true);
  const isClear =
    found !== undefined && 'manifest' in found && hasDeclaration(found.manifest.annex);
  const core = isClear ? found : undefined;
  const start: Start = { script, env, core, settings, nextResolveFilename };
  // Logs why there is nothing to do.
  if (found === undefined && env.ANNEX_LOG === 'debug') load().createHooks(start);
  if (found === undefined) return undefined;
  return {
    start,
    names: core === undefined ? new Set() : listNames(core.manifest),
    isDoubtful: core === undefined || mayHideNames(core.manifest),
    listPrefixes: () => listPrefixes(listRoots(chooseStores(env, core))),
  };
}

type Json = Record<string, unknown>;

function listNames({ annex, peerDependencies }: Json): Set<string> {
  const { features, fromOptionalPeers } = toObject(annex);
  const names = new Set(Object.keys(toObject(features)));
  for (const value of Object.values(toObject(features))) {
    for (const name of Object.keys(toObject(toObject(value).packages))) names.add(name);
  }
  if (fromOptionalPeers === true) {
    for (const name of Object.keys(toObject(peerDependencies))) names.add(name);
  }
  return names;
}

/** Whether features, or the packages of one, are not written as an object: then the names in them are not known. */
function mayHideNames({ annex }: Json): boolean {
  const { features = {} } = toObject(annex);
  const isOdd = (value: unknown): boolean => isObject(value) && !isObject(value.packages);
  return !isObject(features) || Object.values(features).some(isOdd);
}

const toObject = (value: unknown): Json => (isObject(value) ? value : {});

type Stores = Pick<Settings, 'store' | 'layers'>;

/** Every directory that may be a store of the application: a superset of those in its settings. */
function chooseStores(env: Variables, core: CoreManifest | undefined): Stores {
  const [store, ...rest] = splitStores(env.ANNEX_STORE ?? '');
  const layers = expandLayers(rest);
  const cacheDir = findCacheDir(env);
  const isDefault = store === undefined && cacheDir !== undefined && core !== undefined;
  return { store: isDefault ? defaultStore(cacheDir, toRealPath(core.dir)) : store, layers };
}

/** The paths of stores, as configured and as real paths. */
const listRoots = ({ store, layers }: Stores): string[] =>
  [...(store ? [store] : []), ...layers].flatMap((path) => [resolve(path), toRealPath(path)]);
