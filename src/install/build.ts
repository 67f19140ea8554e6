/** Builds one entry in a staging directory, and publishes it with one rename. */
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readAbi } from '../base/abi.ts';
import { AnnexError } from '../base/error.ts';
import { platformOf } from '../base/platform.ts';
import { BARRIER, STAGING, VERSION } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import { identifyPlan } from '../plan/identity.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import { type DirHandle, nameError, openDir, openIn, useDir } from '../store/directory.ts';
import { dropKept, openKept } from '../store/kept.ts';
import { hasUnloadable, NOEXEC, refuseNoexec } from '../store/noexec.ts';
import { makeStaging, publish, sweepStaged } from '../store/publish.ts';
import { linkShared } from '../store/shared-links.ts';
import { syncName, syncTree } from '../store/sync.ts';
import { measureTree, removeIn, sealTree } from '../store/tree.ts';
import { type ClosureJob, fetchClosure, type Staging } from './closure.ts';
import { composeEntryFiles, composeManifest } from './compose.ts';
import { runScripts, sortScripts } from './scripts.ts';

/** An entry to build. */
export interface BuildJob extends Omit<ClosureJob, 'kept'> {
  store: string;
  /** Whether another process has published the feature by now. */
  isPresent: () => boolean;
}

/** A build that succeeded. */
export interface Built {
  /** Directory of the entry; undefined when another process published one first. */
  dir?: string;
  packages: number;
  /** Size of the entry, as `annex list` states it. */
  bytes: number;
  /** Packages whose install scripts were not allowed, as `NAME VERSION`. */
  unrun: string[];
}

/**
 * Builds an entry and publishes it. The staging directory is always removed.
 *
 * @throws AnnexError, errors of the file system, and the signal's reason
 */
export async function buildEntry(job: BuildJob): Promise<Built> {
  const { settings, feature } = job.lookup;
  return withStaging(job, async (staging) => {
    const { path, held } = staging;
    const kept = openKept(job.store, feature.slug);
    const closure = await fetchClosure({ ...job, kept }, staging);
    const { plan, nodes, fetched } = closure;
    const { progress } = job;
    const { scripts: names, unrun } = sortScripts(nodes, path, feature);
    if (names.length > 0) progress.step = 'running scripts';
    const generated = await runScripts({ ...job, kept, staging: path, closure, names });
    const manifest = composeManifest(closure, feature, names);
    const files = composeEntryFiles(manifest, closure, generated);
    clearTop(staging);
    sealPackages(held, names.length > 0 ? undefined : fetched.directories);
    linkShared(held, plan.shared, settings.core.root);
    for (const [name, text] of files) writeSealed(held.at(name), text);
    if (hasUnloadable(path)) throw new AnnexError(refuseNoexec(`${job.store}: ${NOEXEC}`));
    const bytes = measureTree(path);
    progress.step = 'syncing';
    if (settings.isDurable) await syncTree(path, readInstallerEnv(settings));
    dropKept(job.store, feature.slug);
    const dir = publishEntry(job, path, {
      abi: manifest.abi,
      id: identifyPlan(plan, platformOf(readAbi()), feature.scripts),
    });
    return { packages: nodes.length, bytes, unrun, ...(dir && { dir }) };
  });
}

/** Calls a function with a fresh staging directory, and removes what is left of it. */
async function withStaging<T>(
  { lookup, store }: BuildJob,
  use: (staging: Staging) => Promise<T>,
): Promise<T> {
  const made = makeStaging(store, lookup.feature);
  const held = openDir(store, VERSION, STAGING, basename(made));
  try {
    writeBarrier(held);
    // The real path: npm writes paths into its lockfile that are relative to it.
    return await use({ path: realpathSync(held.at()), held });
  } catch (error) {
    // They may be what has filled the volume.
    if (isFull(error)) dropKept(store, lookup.feature.slug);
    throw nameError(error, held);
  } finally {
    held.close();
    sweepStaged(store, made);
  }
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');

/**
 * Called first: if the barrier is missing later, another process swept the directory while this one was
 * suspended.
 */
const writeBarrier = (held: DirHandle): void =>
  writeSealed(held.at(BARRIER), JSON.stringify({ private: true }));

/** Removes what npm and scripts left beside `node_modules`; a script can have replaced the barrier. */
function clearTop({ path, held }: Staging): void {
  accessSync(join(path, BARRIER));
  for (const name of readdirSync(held.at())) if (name !== 'node_modules') removeIn(held, name);
  writeBarrier(held);
}

/** @param directories all that are writable; undefined after scripts, which can have made others */
function sealPackages(held: DirHandle, directories: Iterable<string> | undefined): void {
  if (directories === undefined) useDir(openIn(held, 'node_modules'), sealTree);
  for (const directory of directories ?? []) {
    const [top = '', ...below] = directory.split('/');
    useDir(openIn(held, top, ...below), (dir) => chmodSync(dir.at(), 0o555));
  }
}

/** Writes a file that every user can read, whatever the umask: root may bake an image. */
function writeSealed(path: string, content: string): void {
  writeFileSync(path, content);
  chmodSync(path, 0o444);
}

/** Generations that are tried by number, before random names. */
const NUMBERED = 8;

/**
 * Publishes under the first free generation. A name is taken by a faster installer, whose entry is
 * then used, or by an entry that is not valid.
 *
 * @returns the directory of the entry; undefined when that of another process is used
 */
function publishEntry(
  { lookup: { settings, feature }, store, isPresent }: BuildJob,
  staging: string,
  name: { abi: string; id: string },
): string | undefined {
  for (let generation = 0; ; generation++) {
    // Numbers are predictable: others who can write to the store could take any of them.
    const nonce = generation < NUMBERED ? `${generation}` : randomBytes(5).toString('hex');
    const dir = publish(store, staging, { ...name, slug: feature.slug, nonce });
    if (dir !== undefined && settings.isDurable) syncName(dir);
    if (dir !== undefined || isPresent()) return dir;
  }
}
