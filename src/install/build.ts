/** Builds an entry in staging from a plan, and publishes it. */
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { findUnfit, selectHere } from '../app/unfit.ts';
import { readAbi } from '../base/abi.ts';
import { platformOf } from '../base/platform.ts';
import { FILES, FORMAT, MANIFEST, PLAIN, STAGING, VERSION } from '../base/store-layout.ts';
import { version } from '../base/version.ts';
import type { ClosurePackage } from '../plan/content.ts';
import { describePackage, identifyPlan, listClosure } from '../plan/identity.ts';
import type { Plan } from '../plan/plan.ts';
import { isPlatformBound, type Selection } from '../plan/platform.ts';
import { refuseInstall } from '../registry/package-failure.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { type Dir, nameError, openDir, openIn, withDir } from '../store/dir.ts';
import { composeFiles, findNotGenerated } from '../store/listing.ts';
import type { Manifest } from '../store/manifest.ts';
import { MOST_MANIFEST } from '../store/manifest.ts';
import { makeStaging, publish, sweepStaged } from '../store/publish.ts';
import { linkShared } from '../store/shared-links.ts';
import { syncName, syncTree } from '../store/sync.ts';
import { removeIn, sealTree, sweepIn } from '../store/tree.ts';
import { MOST_GENERATED, MOST_LISTED } from '../store/verify.ts';
import type { Refusal } from '../types.ts';
import { bring } from './bring.ts';
import { findImpostor, findOtherFiles, findUnshared } from './check.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type Generated, runScripts, sortScripts } from './scripts.ts';
import type { Unpacked } from './unpack.ts';

/** How a build ended. */
export interface Built {
  /** Directory of the entry; undefined when another process has published it. */
  dir?: string;
  packages: number;
  bytes: number;
  /** Packages with install scripts that were not allowed. */
  unrun: string[];
}

/** What is to be built, and where. */
export interface Build {
  settings: Settings;
  feature: Feature;
  store: string;
  signal: AbortSignal;
  /** Whether somebody else has published it by now. */
  isPresent: () => boolean;
}

/**
 * The top of an entry: stops every look-up there. Written first: a staging directory without it was
 * swept while this process stood still, and whatever has been written since is not whole.
 */
const BARRIER = 'package.json';

/**
 * Plans, brings the packages into a staging directory, and publishes that. Whatever happens, the
 * staging directory is gone afterwards.
 *
 * @throws errors of the file system, as they are
 */
export async function buildEntry(build: Build): Promise<Built | Refusal> {
  const made = makeStaging(build.store, build.feature);
  const held = openDir(build.store, VERSION, STAGING, basename(made));
  try {
    writeBarrier(held);
    // Real: npm writes paths into its lockfile that are relative to where it really runs.
    return await buildIn(realpathSync(held.at()), held, build);
  } catch (error) {
    throw nameError(error, held);
  } finally {
    held.close();
    sweepStaged(build.store, made);
  }
}

/** @param held the staging directory itself, for what this process does in it */
async function buildIn(staging: string, held: Dir, build: Build): Promise<Built | Refusal> {
  const { settings, feature, signal } = build;
  const unshared: string[] = [];
  for (;;) {
    const prepared = await prepare({ settings, feature, staging, signal, unshared });
    if ('code' in prepared) return prepared;
    const platform = platformOf(readAbi());
    const selection = selectHere(prepared.plan, platform);
    const unfit = findUnfit(prepared, selection, platform);
    if (unfit !== undefined) return unfit;
    const { nodes } = selection;
    const isLocked = prepared.sidecar !== undefined;
    const blocked = findBlockedRefusal(settings, feature, nodes, { isLocked });
    if (blocked !== undefined) return blocked;
    const unpacked = await bring({
      settings,
      dir: staging,
      into: held.at(),
      nodes,
      signal,
      records: prepared.sidecar?.packages,
    });
    if ('code' in unpacked) return unpacked;
    const wrong =
      prepared.sidecar === undefined
        ? findImpostor(feature, staging, unpacked.listings)
        : findOtherFiles(prepared.sidecar, unpacked);
    if (wrong !== undefined) return wrong;
    const more = findUnshared(staging, nodes, Object.keys(prepared.plan.shared));
    if (more.length === 0) {
      return finish({ staging, held }, build, prepared, selection, unpacked);
    }
    // A package's `imports` leads past every hook: what it names has to stand in the entry.
    unshared.push(...more);
    sweepIn(held, 'node_modules');
  }
}

async function finish(
  { staging, held }: { staging: string; held: Dir },
  { settings, feature, store, signal, isPresent }: Build,
  { plan }: Prepared,
  { nodes }: Selection,
  { listings, bytes, hasAddon, directories }: Unpacked,
): Promise<Built | Refusal> {
  const { scripts, unrun } = sortScripts(nodes, staging, feature);
  const closure = nodes.map(describePackage);
  let generated: Generated = {};
  if (scripts.length > 0) {
    const env = readInstallerEnv(settings);
    const { slug } = feature;
    const ran = await runScripts({ staging, names: scripts, listings, env, signal, store, slug });
    if ('code' in ran) return ran;
    generated = ran.generated;
    const strange = findNotGenerated(Object.entries(generated), closure, scripts);
    if (strange !== undefined) return refuseChange(scripts, strange);
  }
  accessSync(join(staging, BARRIER));
  for (const name of readdirSync(held.at())) if (name !== 'node_modules') removeIn(held, name);
  // Anew: a script may have put its own in its place.
  writeBarrier(held);
  const platform = platformOf(readAbi());
  const skipped = findSkipped(plan, platform, nodes);
  const isPlain =
    !isPlatformBound(plan) && !hasAddon && scripts.length === 0 && skipped.length === 0;
  const abi = isPlain ? PLAIN : readAbi();
  const manifest: Manifest = {
    format: FORMAT,
    feature: feature.name,
    specs: feature.packages,
    closure,
    ...(skipped.length > 0 && { skipped }),
    shared: plan.shared,
    private: plan.private,
    scripts,
    abi,
    tool: `annex@${version}`,
  };
  const texts = {
    [FILES]: composeFiles(listings, generated),
    [MANIFEST]: JSON.stringify(manifest),
  };
  const large = findTooLarge(texts, generated);
  if (large !== undefined) return refuseInstall(`${large}, more than an entry may have`);
  for (const [name, text] of Object.entries(texts)) writeSealed(held.at(name), text);
  seal(held, scripts.length > 0 ? undefined : directories);
  linkShared(held, plan.shared, settings.core.root);
  const id = identifyPlan(plan, platform, feature.scripts);
  if (settings.isDurable) await syncTree(staging, readInstallerEnv(settings));
  for (let generation = 0; ; generation++) {
    // Whoever can write the store can take any number of those that can be foretold.
    const nonce = generation < 8 ? `${generation}` : randomBytes(5).toString('hex');
    const published = publish(store, staging, { abi, slug: feature.slug, id, nonce });
    if (published !== undefined && settings.isDurable) syncName(published);
    // Taken: by an installer that was faster, or by an entry that is not valid.
    if (published !== undefined || isPresent()) {
      return { packages: closure.length, bytes, unrun, ...(published && { dir: published }) };
    }
  }
}

/** What nobody would read again. */
function findTooLarge(texts: Record<string, string>, generated: Generated): string | undefined {
  const limits = { [FILES]: MOST_LISTED, [MANIFEST]: MOST_MANIFEST };
  for (const [name, most] of Object.entries(limits)) {
    const size = Buffer.byteLength(texts[name] ?? '');
    if (size > most) return `its ${name} takes ${size} bytes`;
  }
  const made = Buffer.byteLength(composeFiles({}, generated));
  return made > MOST_GENERATED ? `the list of what scripts made takes ${made} bytes` : undefined;
}

/** No lock could tell such a change from somebody else's, so the entry would never be taken for whole. */
const refuseChange = (scripts: string[], path: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason: `an install script of ${scripts.join(', ')} changed ${path}, which is not in a package whose scripts may run, or below a node_modules in it`,
  hint: 'remove it from "scripts", or use another version',
});

/** What is locked for this platform and does not run on this Node. */
function findSkipped(plan: Plan, platform: string, nodes: Selection['nodes']): ClosurePackage[] {
  const here = new Set(nodes.map(({ path }) => path));
  return listClosure(plan, platform).filter(({ path }) => !here.has(path));
}

/** @param directories all that are not read-only yet; without them everything is looked at */
function seal(held: Dir, directories: Iterable<string> | undefined): void {
  if (directories === undefined) withDir(openIn(held, 'node_modules'), sealTree);
  for (const directory of directories ?? []) {
    const [top = '', ...below] = directory.split('/');
    withDir(openIn(held, top, ...below), (dir) => chmodSync(dir.at(), 0o555));
  }
}

const writeBarrier = (held: Dir): void =>
  writeSealed(held.at(BARRIER), JSON.stringify({ private: true }));

/** Whatever the umask: an entry that root bakes into an image is for everybody to read. */
function writeSealed(path: string, content: string): void {
  writeFileSync(path, content);
  chmodSync(path, 0o444);
}
