/** annex init */
import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { isShipped } from '../../app/inventory.ts';
import { toRealPath } from '../../base/paths.ts';
import { isObject, isText, type JsonObject } from '../../base/shape.ts';
import { scanApplication } from '../scan/application.ts';
import { findListing, findUsableRange } from '../scan/packages.ts';
import { warnOfUnread } from '../scan/scan.ts';
import { composeImageVariables, formatVariables } from '../setup/env.ts';
import { type Command, warn } from '../shared/command.ts';
import {
  type DeclaringFile,
  readDeclaringFile,
  readFeatures,
  refuseEdit,
  replaceDeclaration,
  requireValid,
  withFeatures,
} from '../shared/declaration.ts';
import { formatVersions } from '../shared/format.ts';
import { describeLock } from '../shared/lock-features.ts';
import { addRanges, splitArgument } from './named-packages.ts';

/**
 * Declares and locks what the sources request and nothing ships, or the named packages. Prints what is left
 * to do, and the lines for a Dockerfile. Changes nothing without consent: names, --yes, or an answer on a terminal.
 */
export const init: Command = async ({ args, options, print }) => {
  const file = readDeclaringFile();
  const { root } = file;
  const wanted =
    args.length > 0 ? args.map(splitArgument) : await findWanted(file, options.optional === true);
  const { byPackage } = readFeatures(file, file.manifest);
  const missing = wanted.filter(({ name }) => !byPackage.has(name));
  if (missing.length === 0) {
    const next = listNext(root, []);
    const lines = ['nothing to do: no package is left to declare', ...formatNext(next)];
    const data = { path: file.path, packages: {}, features: [], next };
    print(lines.join('\n'), data, { core: file });
    return 0;
  }
  const taken = missing.find(({ name }) => Object.hasOwn(file.features, name));
  if (taken !== undefined) {
    const reason = `annex.features[${JSON.stringify(taken.name)}] in ${file.path} has other packages`;
    throw refuseEdit(reason, 'npx annex add NAME --feature FEATURE');
  }
  const ranged = missing.map(({ name, range }) => {
    const known = range ?? findUsableRange(findListing(name, [file.manifest]));
    return { name, ...(known !== undefined && { range: known }) };
  });
  const packages = await addRanges(ranged, root);
  if (args.length === 0 && options.yes !== true && !(await confirm(file.path, packages))) {
    warn('nothing was changed');
    return 1;
  }
  const features = Object.keys(packages);
  const moved = features.filter((name) => Object.hasOwn(readOptional(file.manifest), name));
  const manifest = withoutOptional(withFeatures(file, { ...file.features, ...packages }), moved);
  requireValid(file, manifest, features, 'npx annex init NAME@RANGE');
  // A lock depends on what the application ships: npm has to remove these first.
  const lockable = features.filter((name) => !moved.includes(name));
  const locks = await replaceDeclaration(file, manifest, lockable, true);
  const variables = composeImageVariables(root);
  const { main } = manifest;
  const program = isText(main) && main ? main : 'FILE';
  const next = [
    ...listNext(root, moved),
    'commit package.json and annex/',
    `start the program with the loader: node --import annex/loader.mjs ${program}`,
  ];
  const lines = [
    `declared ${formatVersions(packages)} in ${file.path}`,
    ...(locks ?? []).flatMap(describeLock),
    ...formatNext(next),
    'Lines for the Dockerfile of an image with the application in /opt/app and a volume on /opt/data:',
    formatVariables(variables),
  ];
  const data = { path: file.path, packages, features, locks, variables, next };
  print(lines.join('\n'), data, { core: file });
  return 0;
};

/** Names that the sources request: what is neither declared nor shipped, and on demand optionalDependencies. */
async function findWanted(
  file: DeclaringFile,
  withOptional: boolean,
): Promise<{ name: string; range?: string }[]> {
  const found = await scanApplication(file);
  warnOfUnread(found);
  const optional = readOptional(file.manifest);
  return found.packages
    .filter(
      ({ package: name, state, listedIn }) =>
        (state === 'undeclared' && name !== 'annex') ||
        (withOptional && listedIn === 'optionalDependencies' && Object.hasOwn(optional, name)),
    )
    .map(({ package: name }) => ({ name }));
}

const readOptional = ({ optionalDependencies: value }: JsonObject): JsonObject =>
  isObject(value) ? value : {};

/** A package.json without some of its optionalDependencies. */
function withoutOptional(manifest: JsonObject, names: readonly string[]): JsonObject {
  if (names.length === 0) return manifest;
  const left = Object.entries(readOptional(manifest)).filter(([name]) => !names.includes(name));
  const { optionalDependencies: _, ...others } = manifest;
  return left.length === 0
    ? others
    : { ...manifest, optionalDependencies: Object.fromEntries(left) };
}

/**
 * Asks once, on the terminal.
 *
 * @throws AnnexError without a terminal
 */
async function confirm(path: string, packages: Record<string, string>): Promise<boolean> {
  const list = formatVersions(packages);
  if (!isatty(0) || !isatty(2)) {
    const reason = `${list} would be declared in ${path}, and there is no terminal to ask on`;
    throw refuseEdit(reason, 'npx annex init --yes, or npx annex init NAME');
  }
  // With "terminal", readline can drop what was typed before it starts.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  lines.setPrompt(`Declare ${list} in ${path}? [y/N] `);
  lines.prompt();
  for await (const line of lines) {
    lines.close();
    return /^y(?:es)?$/i.test(line.trim());
  }
  return false;
}

const formatNext = (steps: readonly string[]): string[] => steps.map((step) => `Now: ${step}`);

/** The steps that the user has to take. */
function listNext(root: string, moved: readonly string[]): string[] {
  const next: string[] = [];
  if (!isShipped({ root, realRoot: toRealPath(root) }, 'annex')) next.push('npm install annex');
  if (moved.length > 0) {
    const rest = `takes ${moved.join(', ')} out of package-lock.json; then npx annex lock`;
    next.push(`npm install, which ${rest}`);
  }
  return next;
}
