/** Lists the directories of a store that may be the entry of a feature, in the order of preference. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { compareVersions } from '../base/semver.ts';
import { abiRoot, toEntryName, VERSION } from '../base/store-layout.ts';
import { isNotFound } from '../base/thrown.ts';
import type { Feature } from '../settings/feature.ts';
import { findStoreDistrust } from './access.ts';
import { withDir } from './directory.ts';
import type { Look } from './look.ts';
import { lookAfresh } from './look-afresh.ts';
import { listVersions } from './manifest.ts';

/** A search in one store. */
export interface Search {
  store: string;
  feature: Feature;
  /** ABI directories. */
  abis: string[];
  /** The only valid id; empty when none is valid, undefined without a lock. */
  pinned: string | undefined;
  /** Receives one clause for each path that is not an ABI directory. */
  rejected: string[];
  /** Called for each directory or entry that could not be read. */
  onUnread: (error: unknown, path: string) => void;
  look: Look;
}

/** Paths of the candidates. All entries with one id have the same content; otherwise the highest version comes first. */
export const listCandidates = (search: Search): Iterable<string> =>
  search.pinned === undefined ? rank(search, [...listNamed(search)]) : listNamed(search);

/**
 * The pinned entry comes first under its usual name: listing a large store is slow. If that name is absent it may still
 * be listed, when another host has published it meanwhile.
 */
function* listNamed(search: Search): Generator<string, void> {
  const { store, abis, pinned, rejected, onUnread, look } = search;
  const { slug } = search.feature;
  const first = pinned && toEntryName({ slug, id: pinned, nonce: '0' });
  const seen = new Set<string>();
  if (first) {
    for (const abi of abis) {
      if (isDirectory(search, abi, first)) yield add(seen, join(abiRoot(store, abi), first));
    }
  }
  for (const abi of abis) {
    const dir = abiRoot(store, abi);
    let all: string[] = [];
    lookAfresh(store, [VERSION, abi, ...(first ? [first] : [])]);
    try {
      all = look.listNames(store, abi, slug);
    } catch (error) {
      if (error instanceof AnnexError) rejected.push(error.refusal.reason);
      else if (!isNotFound(error)) onUnread(error, dir);
    }
    for (const name of all) if (!seen.has(join(dir, name))) yield join(dir, name);
  }
}

const add = (seen: Set<string>, path: string): string => {
  seen.add(path);
  return path;
};

/** Errors about the ABI directory itself are reported when it is listed. */
function isDirectory({ store, onUnread }: Search, abi: string, name: string): boolean {
  try {
    return withDir(store, [VERSION, abi], (dir) => lstatSync(dir.at(name)).isDirectory());
  } catch (error) {
    if (!(error instanceof AnnexError || isNotFound(error))) {
      onUnread(error, join(abiRoot(store, abi), name));
    }
    return false;
  }
}

/** Returns nothing when the order cannot be determined. Reads nothing in a store that is not trusted. */
function rank({ store, feature, look, onUnread }: Search, paths: string[]): string[] {
  try {
    if (paths.length < 2 || findStoreDistrust(store) !== undefined) return paths;
    const versions = new Map(paths.map((path) => [path, readVersions(path, feature, look)]));
    return paths.sort((a, b) => {
      for (const name of Object.keys(feature.packages)) {
        const [versionA = '0.0.0', versionB = '0.0.0'] = [a, b].map(
          (path) => versions.get(path)?.[name],
        );
        const order = compareVersions(versionB, versionA);
        if (order !== 0) return order;
      }
      return a < b ? -1 : 1;
    });
  } catch (error) {
    onUnread(error, store);
    return [];
  }
}

function readVersions(path: string, feature: Feature, look: Look): Record<string, string> {
  const read = look.readManifest(path, path);
  return 'manifest' in read ? listVersions(read.manifest, feature) : {};
}
