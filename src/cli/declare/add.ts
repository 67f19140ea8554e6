/** annex add */
import { isShipped } from '../../app/inventory.ts';
import { toRealPath } from '../../base/paths.ts';
import { findListing, findUsableRange } from '../scan/packages.ts';
import type { Command } from '../shared/command.ts';
import {
  readDeclaringFile,
  readFeaturePackages,
  replaceDeclaration,
  requireValid,
  withFeatures,
  withPackages,
} from '../shared/declaration.ts';
import { formatVersions } from '../shared/format.ts';
import { describeLock } from '../shared/lock-features.ts';
import { addRanges, splitArgument } from './named-packages.ts';

/**
 * Declares packages as features in the nearest package.json; nothing is installed. Where features
 * are locked, these are locked too; if that fails, nothing is written.
 */
export const add: Command = async ({ args, options: { feature }, print }) => {
  const file = readDeclaringFile();
  const { root } = file;
  const wanted = args.map(splitArgument).map(({ name, range }) => ({
    name,
    range: range ?? findUsableRange(findListing(name, [file.manifest])),
  }));
  const packages = await addRanges(wanted, root);
  const before = file.features;
  const changed =
    feature === undefined
      ? { ...before, ...packages }
      : withPackages(before, feature, { ...readFeaturePackages(before, feature), ...packages });
  const features = feature === undefined ? Object.keys(packages) : [feature];
  const manifest = withFeatures(file, changed);
  requireValid(file, manifest, features, 'npx annex add NAME@RANGE');
  const locks = await replaceDeclaration(file, manifest, features);
  const declaration = `declared ${formatVersions(packages)} in ${file.path}`;
  const shipped = Object.keys(packages).filter((name) =>
    isShipped({ root, realRoot: toRealPath(root) }, name),
  );
  const lines = [
    declaration,
    ...(locks ?? []).flatMap(describeLock),
    ...shipped.map(
      (name) =>
        `${name}: the application ships it, so annex does not install it. Now: npx annex remove ${name}, or npm uninstall ${name}`,
    ),
    ...(locks === undefined ? ['Now: npx annex lock'] : []),
  ];
  print(lines.join('\n'), { path: file.path, packages, features, locks }, { core: file });
  return 0;
};
