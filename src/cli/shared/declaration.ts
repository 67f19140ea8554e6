/** Changes the features of a package.json together with their locks: both, or neither. */
import { readFileSync } from 'node:fs';
import { listWorkspaces } from '../../app/core.ts';
import { listLocks } from '../../app/pin.ts';
import type { AnnexError } from '../../base/error.ts';
import { writeLine } from '../../base/log.ts';
import { composeNotice } from '../../base/messages.ts';
import { isObject, type JsonObject } from '../../base/shape.ts';
import { type Replacement, replaceFiles, sweepTemporaries } from '../../lock/replace.ts';
import { type Declaration, readDeclaration } from '../../settings/declaration.ts';
import { readSettings, recordPlace, refuse, showPlace } from './command.ts';
import { formatLike, type ManifestFile, readNearestManifest } from './edit-manifest.ts';
import { type LockResult, lockAll } from './lock-features.ts';

/** A package.json, and its features as written. */
export interface DeclaringFile extends ManifestFile {
  features: JsonObject;
}

const PREFIX = 'nothing was changed: ';

/** The error of a command that leaves a package.json as it is. */
export const refuseEdit = (reason: string, hint: string): AnnexError =>
  refuse(`${PREFIX}${reason}`, hint);

/**
 * Reads the nearest package.json.
 *
 * @throws AnnexError when features cannot be declared in it
 */
export function readDeclaringFile(): DeclaringFile {
  const cwd = process.cwd();
  const file = readNearestManifest(cwd, PREFIX);
  if (file === undefined) {
    throw refuseEdit(`there is no package.json in ${cwd} or above`, 'npm init');
  }
  const { annex = {} } = file.manifest;
  const { features = {} } = isObject(annex) ? annex : {};
  if (isObject(annex) && isObject(features)) {
    recordPlace({ core: file });
    showPlace({ core: file });
    return { ...file, features };
  }
  const key = isObject(annex) ? 'annex.features' : 'annex';
  throw refuseEdit(`${key} in ${file.path} is not an object`, 'correct that key');
}

/** A package.json with other features, without keys that are empty then. */
export function withFeatures({ manifest }: DeclaringFile, features: JsonObject): JsonObject {
  const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
  const annex: JsonObject = { ...(manifest.annex as JsonObject | undefined), features };
  if (isEmpty(features)) delete annex.features;
  const changed: JsonObject = { ...manifest, annex };
  if (isEmpty(annex)) delete changed.annex;
  return changed;
}

/** The packages of a feature as written. The short form has one, with the name of the feature. */
export function readFeaturePackages(features: JsonObject, feature: string): JsonObject {
  const value = Object.hasOwn(features, feature) ? features[feature] : undefined;
  if (typeof value === 'string') return { [feature]: value };
  return isObject(value) && isObject(value.packages) ? value.packages : {};
}

/** A feature in its long form, with other packages. */
export function withPackages(
  features: JsonObject,
  feature: string,
  packages: JsonObject,
): JsonObject {
  const value = Object.hasOwn(features, feature) ? features[feature] : undefined;
  return { ...features, [feature]: { ...(isObject(value) && value), packages } };
}

/** The declaration in a package.json with this content. */
export function readFeatures(
  { path, root, manifest: before }: ManifestFile,
  manifest: JsonObject,
): Declaration {
  const { workspaces } = before;
  const names = listWorkspaces({ dir: root, manifest: { workspaces } });
  return readDeclaration({ path, manifest, workspaces: names }).declaration;
}

/**
 * Refuses a new content of a package.json.
 *
 * @param names features that it changes
 * @param hint of the error
 * @throws AnnexError when one of these features is invalid
 */
export function requireValid(
  file: ManifestFile,
  manifest: JsonObject,
  names: string[],
  hint: string,
): void {
  const { features } = readFeatures(file, manifest);
  const [invalid] = names.flatMap((name) => features.get(name)?.refusal ?? []);
  if (invalid !== undefined) throw refuseEdit(invalid.reason, hint);
}

/**
 * Replaces a package.json. Where features are locked, the changed ones are locked first; if that
 * fails, nothing is written.
 *
 * @param manifest the new content
 * @param names features that it changes
 * @param mustLock whether they are locked also where nothing is locked yet
 * @returns the results of locking; undefined where nothing is locked
 * @throws AnnexError when nothing was changed
 */
export async function replaceDeclaration(
  file: ManifestFile,
  manifest: JsonObject,
  names: string[],
  mustLock = false,
): Promise<LockResult[] | undefined> {
  const { root } = file;
  sweepTemporaries(root);
  const files: Replacement[] = [];
  let locks: LockResult[] | undefined;
  if (names.length > 0 && (mustLock || listLocks(root).length > 0)) {
    const settings = readSettings({ core: { dir: root, manifest } });
    const features = names.flatMap((name) => settings.declaration.features.get(name) ?? []);
    locks = await lockAll(settings, features, { write: (more) => files.push(...more) });
    const failed = locks.find((result) => result.outcome === 'failed');
    if (failed !== undefined) {
      const { code } = failed.refusal;
      const reason = `nothing was changed in ${file.path}: ${failed.feature} cannot be locked`;
      throw refuse(reason, 'follow the message above', code);
    }
  } else {
    // With locks, these are printed with the settings.
    for (const refusal of readFeatures(file, manifest).refusals) {
      writeLine(2, composeNotice(refusal));
    }
  }
  // Locking takes a while.
  if (readFileSync(file.path, 'utf8') !== file.text) {
    throw refuseEdit(`${file.path} changed meanwhile`, 'run this command again');
  }
  replaceFiles([...files, { path: file.path, text: formatLike(file.text, manifest) }]);
  return locks;
}
