/** annex remove */
import { join } from 'node:path';
import { listLocks, lockRoot } from '../../app/pin.ts';
import type { JsonObject } from '../../base/shape.ts';
import { toSlug } from '../../base/store-layout.ts';
import { suggest } from '../../settings/suggest.ts';
import type { Command } from '../shared/command.ts';
import {
  type DeclaringFile,
  readDeclaringFile,
  readFeaturePackages,
  readFeatures,
  refuseEdit,
  replaceDeclaration,
  withFeatures,
  withPackages,
} from '../shared/declaration.ts';
import { describeLock, removeLock } from '../shared/lock-features.ts';

/**
 * Undoes `annex add`: removes features, or packages of one feature, from the nearest package.json,
 * and the locks of features that are no longer declared. Entries in stores stay.
 */
export const remove: Command = async ({ args, options: { feature }, print }) => {
  const file = readDeclaringFile();
  const after =
    feature === undefined ? removeFeatures(file, args) : removePackages(file, feature, args);
  const manifest = withFeatures(file, after);
  const isReduced = feature !== undefined && Object.hasOwn(after, feature);
  const locks = await replaceDeclaration(file, manifest, isReduced ? [feature] : []);
  const gone = feature === undefined ? args : isReduced ? [] : [feature];
  const unlocked = removeLocks(file, manifest, gone);
  // A package.json that declares nothing is found only if ANNEX_CORE names it.
  const core = Object.keys(after).length === 0 ? `ANNEX_CORE=${file.root} ` : '';
  const lines = [
    `removed ${args.join(', ')} from ${file.path}`,
    ...unlocked.map((dir) => `removed ${dir}`),
    ...(locks ?? []).flatMap(describeLock),
    ...gone.map(
      (name) =>
        `entries of ${name} in stores stay; ${core}npx annex uninstall ${name} removes them`,
    ),
  ];
  const data = { path: file.path, removed: args, features: gone, unlocked, locks };
  print(lines.join('\n'), data, { core: file });
  return 0;
};

function removeFeatures({ path, features }: DeclaringFile, names: string[]): JsonObject {
  const missing = names.find((name) => !Object.hasOwn(features, name));
  if (missing === undefined) return omit(features, names);
  const listing = Object.keys(features).find((name) =>
    Object.hasOwn(readFeaturePackages(features, name), missing),
  );
  const nearest = suggest(missing, Object.keys(features));
  const hint =
    listing === undefined ? 'npx annex list' : `npx annex remove ${missing} --feature ${listing}`;
  throw refuseEdit(`${missing} is not a key of annex.features in ${path}${nearest}`, hint);
}

/** A feature is removed with its last package. */
function removePackages(
  { path, features }: DeclaringFile,
  feature: string,
  names: string[],
): JsonObject {
  const packages = readFeaturePackages(features, feature);
  const missing = names.find((name) => !Object.hasOwn(packages, name));
  if (missing !== undefined) {
    const key = `annex.features[${JSON.stringify(feature)}] in ${path}`;
    throw refuseEdit(
      `${key} does not list ${missing}${suggest(missing, Object.keys(packages))}`,
      'npx annex list',
    );
  }
  const kept = omit(packages, names);
  return Object.keys(kept).length === 0
    ? omit(features, [feature])
    : withPackages(features, feature, kept);
}

const omit = (object: JsonObject, keys: string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));

/** Removes the locks of features that are no longer declared. @returns their directories */
function removeLocks(file: DeclaringFile, manifest: JsonObject, names: string[]): string[] {
  const { root } = file;
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
