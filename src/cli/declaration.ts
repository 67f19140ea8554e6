/** Changes what a package.json declares, together with the locks: both, or neither. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { listWorkspaces } from '../app/core.ts';
import { listLocks } from '../app/pin.ts';
import { writeLine } from '../base/log.ts';
import { composeNotice } from '../base/messages.ts';
import { isObject } from '../base/shape.ts';
import { messageOf } from '../base/thrown.ts';
import { type Replacement, replaceFiles, sweepTemporaries } from '../lock/replace.ts';
import type { Declaration } from '../settings/declaration.ts';
import { readDeclaration } from '../settings/declaration.ts';
import { findSettings, warn } from './command.ts';
import { formatLike, type ManifestFile, readNearestManifest } from './edit-manifest.ts';
import { type LockResult, lockAll } from './lock.ts';

type Json = Record<string, unknown>;

/**
 * The nearest package.json, if features can be declared in it; undefined after a line that says why
 * not.
 */
export function findDeclaring(): ManifestFile | undefined {
  let file: ManifestFile | undefined;
  try {
    file = readNearestManifest(process.cwd());
  } catch (error) {
    refuse(messageOf(error));
    return undefined;
  }
  if (file === undefined) {
    refuse(`there is no package.json in ${process.cwd()} or above: npm init`);
    return undefined;
  }
  const { annex = {} } = file.manifest;
  if (isObject(annex) && isObject(annex.features ?? {})) return file;
  refuse(`${isObject(annex) ? 'annex.features' : 'annex'} in ${file.path} is not an object`);
  return undefined;
}

/** Says that nothing was changed, and why. @returns the exit code */
export function refuse(what: string): 1 {
  warn(`${what} (ANNEX_INVALID_CONFIG). Nothing was changed`);
  return 1;
}

/** The features in a package.json as they are written there. */
export function listWritten({ annex }: Json): Json {
  return ((annex as Json | undefined)?.features ?? {}) as Json;
}

/** What a package.json with this content would declare. */
export function readFeatures(
  { path, manifest: { workspaces } }: ManifestFile,
  manifest: Json,
): Declaration {
  return readDeclaration({
    path,
    manifest,
    workspaces: listWorkspaces({ dir: dirname(path), manifest: { workspaces } }),
  }).declaration;
}

/**
 * Replaces a package.json. Where features are locked, the named ones are locked first; when one of
 * them cannot be, nothing is written.
 *
 * @param manifest the new content
 * @param names features that it declares otherwise than before
 * @returns what was locked, undefined where nothing is locked; or the exit code when it failed, which has been said
 */
export async function replaceDeclaration(
  file: ManifestFile,
  manifest: Json,
  names: string[],
): Promise<{ locks: LockResult[] | undefined } | 1> {
  const root = dirname(file.path);
  sweepTemporaries(root);
  const files: Replacement[] = [];
  let locks: LockResult[] | undefined;
  if (names.length > 0 && listLocks(root).length > 0) {
    const settings = findSettings({ core: { dir: root, manifest } });
    if (settings === undefined) return 1;
    const features = names.flatMap((name) => settings.declaration.features.get(name) ?? []);
    locks = await lockAll(settings, features, { write: (more) => files.push(...more) });
    if (locks.some(({ outcome }) => outcome === 'failed')) {
      warn(`nothing was changed in ${file.path}, for what it would declare cannot be locked`);
      return 1;
    }
  } else {
    // Whoever locks reports these with the settings.
    for (const refusal of readFeatures(file, manifest).refusals) {
      writeLine(2, composeNotice(refusal));
    }
  }
  // Locking takes a while.
  if (readFileSync(file.path, 'utf8') !== file.text) {
    return refuse(`${file.path} was changed by somebody else meanwhile; run this command again`);
  }
  replaceFiles([...files, { path: file.path, text: formatLike(file.text, manifest) }]);
  return { locks };
}
