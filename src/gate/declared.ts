/** Finds the application and the names that it may declare, at every start: its other settings are read later. */

import { resolve } from 'node:path';
import {
  type CoreManifest,
  type CoreSearch,
  findCoreRoot,
  hasDeclaration,
} from '../app/core-root.ts';
import { findCacheDir, type Variables } from '../base/environment.ts';
import { toRealPath } from '../base/paths.ts';
import { defaultStore, splitStores } from '../base/store-layout.ts';
import type { Settings } from '../settings/settings.ts';

/** What a start knows about the application. */
export interface Declared {
  /** Undefined when its package.json has to be judged with all settings. */
  core?: CoreManifest;
  /** Every name that a feature may list, valid or not. */
  names: ReadonlySet<string>;
}

/** Finds the application; returns undefined when no package.json declares features. */
export function findDeclared(search: CoreSearch): Declared | undefined {
  const core = findCoreRoot(search, () => true);
  if (core === undefined) return undefined;
  return 'manifest' in core && hasDeclaration(core.manifest.annex)
    ? { core, names: listNames(core.manifest) }
    : { names: new Set() };
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

const toObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};

/** Every directory that may be a store of the application: a superset of those in its settings. */
export function chooseStores(env: Variables, core: CoreManifest | undefined): Stores {
  const [store, ...layers] = splitStores(env.ANNEX_STORE ?? '');
  const cacheDir = findCacheDir(env);
  const isDefault = store === undefined && cacheDir !== undefined && core !== undefined;
  return { store: isDefault ? defaultStore(cacheDir, toRealPath(core.dir)) : store, layers };
}

type Stores = Pick<Settings, 'store' | 'layers'>;

/** The paths of stores, as configured and as real paths. */
export const listRoots = ({ store, layers }: Stores): string[] =>
  [...(store ? [store] : []), ...layers].flatMap((path) => [resolve(path), toRealPath(path)]);
