/** annex remove NAME... [--feature FEATURE] */
import { dirname, join } from 'node:path';
import { listLocks, lockRoot } from '../app/pin.ts';
import { toSlug } from '../base/store-layout.ts';
import type { Command } from './command.ts';
import {
  findDeclaring,
  listWritten,
  readFeatures,
  refuse,
  replaceDeclaration,
} from './declaration.ts';
import type { ManifestFile } from './edit-manifest.ts';
import { describe, removeLock } from './lock.ts';

type Json = Record<string, unknown>;

/**
 * Undoes `annex add`: takes features, or packages of one feature, out of the nearest package.json,
 * and removes the locks of features that are no longer declared. Entries in a store stay.
 */
export const remove: Command = async ({ args, options: { feature }, print }) => {
  if (args.length === 0) return undefined;
  const file = findDeclaring();
  if (file === undefined) return 1;
  const before = listWritten(file.manifest);
  const after = feature === undefined ? without(before, args) : reduce(before, feature, args);
  if ('problem' in after) return refuse(`${after.problem} in ${file.path}`);
  const manifest = withFeatures(file.manifest, after.features);
  const isReduced = feature !== undefined && Object.hasOwn(after.features, feature);
  const replaced = await replaceDeclaration(file, manifest, isReduced ? [feature] : []);
  if (replaced === 1) return 1;
  const { locks } = replaced;
  const gone = feature === undefined ? args : isReduced ? [] : [feature];
  const unlocked = removeLocks(file, manifest, gone);
  const lines = [
    `removed ${args.join(', ')} from ${file.path}`,
    ...unlocked.map((dir) => `removed ${dir}`),
    ...(locks ?? []).flatMap(describe),
    ...gone.map(
      (name) => `what a store holds of ${name} stays: ${nameUninstall(file, after.features, name)}`,
    ),
  ];
  print(lines.join('\n'), { path: file.path, removed: args, features: gone, unlocked, locks });
  return 0;
};

type Changed = { features: Json } | { problem: string };

function without(features: Json, names: string[]): Changed {
  const missing = names.find((name) => !Object.hasOwn(features, name));
  if (missing !== undefined) {
    const lists = Object.keys(features).find((name) => missing in packagesOf(features[name]));
    const remedy = lists === undefined ? '' : `; annex remove ${missing} --feature ${lists}`;
    return { problem: `${missing} is not a key of annex.features${remedy}` };
  }
  const kept = Object.entries(features).filter(([name]) => !names.includes(name));
  return { features: Object.fromEntries(kept) };
}

/** A feature without its last package is gone. */
function reduce(features: Json, feature: string, names: string[]): Changed {
  const value = Object.hasOwn(features, feature) ? features[feature] : undefined;
  const packages = packagesOf(
    typeof value === 'string' ? { packages: { [feature]: value } } : value,
  );
  const missing = names.find((name) => !Object.hasOwn(packages, name));
  if (missing !== undefined)
    return { problem: `annex.features[${JSON.stringify(feature)}] does not list ${missing}` };
  const kept = Object.entries(packages).filter(([name]) => !names.includes(name));
  if (kept.length === 0) return without(features, [feature]);
  const reduced = { ...(value as Json), packages: Object.fromEntries(kept) };
  return { features: { ...features, [feature]: reduced } };
}

function packagesOf(feature: unknown): Json {
  const { packages } = (feature ?? {}) as { packages?: unknown };
  return typeof packages === 'object' && packages !== null ? (packages as Json) : {};
}

/** Replaces the features of a package.json. Keys that are empty then are removed. */
function withFeatures(manifest: Json, features: Json): Json {
  const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
  const annex: Json = { ...(manifest.annex as Json), features };
  if (isEmpty(features)) delete annex.features;
  const changed: Json = { ...manifest, annex };
  if (isEmpty(annex)) delete changed.annex;
  return changed;
}

/** Removes the locks of features that a package.json no longer declares. @returns their directories */
function removeLocks(file: ManifestFile, manifest: Json, names: string[]): string[] {
  const root = dirname(file.path);
  const declared = [...readFeatures(file, manifest).features.values()].map(({ slug }) => slug);
  const locked = listLocks(root);
  const slugs = names
    .map(toSlug)
    .filter((slug) => locked.includes(slug) && !declared.includes(slug));
  return slugs.map((slug) => {
    const dir = join(lockRoot(root), slug);
    removeLock(dir);
    return dir;
  });
}

/** A package.json that declares nothing is no core unless it is named. */
function nameUninstall({ path }: ManifestFile, features: Json, name: string): string {
  const core = Object.keys(features).length === 0 ? `ANNEX_CORE=${dirname(path)} ` : '';
  return `${core}annex uninstall ${name}`;
}
