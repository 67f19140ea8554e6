/** Builds an entry in staging with npm and publishes it. */
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readPackage } from '../core.ts';
import { isInRange } from '../ranges.ts';
import { readAbi } from '../runtime.ts';
import { findEntry } from '../store/entry.ts';
import { MANIFEST, PLAIN } from '../store/layout.ts';
import { makeStaging, publish, sealTree, sweep } from '../store/publish.ts';
import type { Feature, Manifest, Refusal, Settings } from '../types.ts';
import { version } from '../version.ts';
import { identify, readClosure } from './closure.ts';
import { runNpm } from './npm.ts';

/** How a build ended. */
export interface Built {
  packages: number;
  bytes: number;
  refusal?: Refusal;
}

/** The top of an entry: stops every look-up there. */
const BARRIER = JSON.stringify({ private: true });

/**
 * Runs npm in a staging directory, checks what it left, and publishes that. Whatever happens, the
 * staging directory is gone afterwards.
 *
 * @throws errors of the file system, as they are
 */
export async function buildEntry(
  settings: Settings,
  feature: Feature,
  store: string,
  signal: AbortSignal,
): Promise<Built> {
  // Real: npm writes paths into its lockfile that are relative to where it really runs.
  const staging = realpathSync(makeStaging(store, feature));
  try {
    const manifest = { private: true, dependencies: feature.packages };
    writeFileSync(join(staging, 'package.json'), JSON.stringify(manifest));
    const env = settings.installerEnv;
    const refusal = await runNpm({ cwd: staging, core: settings.core.root, env, signal });
    if (refusal !== undefined) return { packages: 0, bytes: 0, refusal };
    const isPresent = (): boolean => findEntry(settings, feature, readAbi()).entry !== undefined;
    return finish(feature, store, staging, isPresent);
  } finally {
    sweep(staging);
  }
}

function finish(feature: Feature, store: string, staging: string, isPresent: () => boolean): Built {
  const missing = findMissing(feature, staging);
  if (missing !== undefined) return { packages: 0, bytes: 0, refusal: refuse(missing) };
  const lock: unknown = JSON.parse(readFileSync(join(staging, 'package-lock.json'), 'utf8'));
  const { closure, isPlain } = readClosure(
    lock,
    (path) => lstatSync(join(staging, path), { throwIfNoEntry: false }) !== undefined,
  );
  const others = readdirSync(staging).filter((name) => name !== 'node_modules');
  for (const name of [...others, 'node_modules/.package-lock.json']) {
    rmSync(join(staging, name), { recursive: true, force: true });
  }
  const { bytes, hasAddon, oddity } = sealTree(join(staging, 'node_modules'));
  if (oddity !== undefined) {
    const refusal = refuse(`${oddity.slice(staging.length + 1)} is neither a file nor a directory`);
    return { packages: 0, bytes, refusal: { ...refusal, code: 'ANNEX_INTEGRITY' } };
  }
  const abi = isPlain && !hasAddon ? PLAIN : readAbi();
  const manifest: Manifest = {
    format: 1,
    feature: feature.name,
    specs: feature.packages,
    closure,
    shared: {},
    private: [...new Set(closure.map(({ name }) => name))].sort(),
    generated: [],
    abi,
    tool: `annex@${version}`,
  };
  writeSealed(join(staging, 'package.json'), BARRIER);
  writeSealed(join(staging, MANIFEST), JSON.stringify(manifest));
  const id = identify(closure);
  for (let generation = 0; ; generation++) {
    const nonce = generation.toString(36);
    const published = publish(store, staging, { abi, slug: feature.slug, id, nonce });
    // Taken: by an installer that was faster, or by an entry that is not valid.
    if (published !== undefined || isPresent()) return { packages: closure.length, bytes };
  }
}

/** Whatever the umask: an entry that root bakes into an image is for everybody to read. */
function writeSealed(path: string, content: string): void {
  writeFileSync(path, content);
  chmodSync(path, 0o444);
}

/** What npm says it installed and is not there, with the right name and version. */
function findMissing(feature: Feature, staging: string): string | undefined {
  for (const [name, range] of Object.entries(feature.packages)) {
    const found = readPackage(join(staging, 'node_modules', name));
    if (found === undefined) return `npm left no ${name}`;
    if (found.name !== name) return `what npm left as ${name} calls itself ${found.name}`;
    const { version: got } = found as { version?: unknown };
    if (typeof got !== 'string' || !isInRange(got, range)) {
      return `npm left ${name} ${String(got)}, which is not in ${range}`;
    }
  }
  return undefined;
}

const refuse = (reason: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason,
  hint: 'look at what the registry serves under that name',
});
