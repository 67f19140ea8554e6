/** What an entry must contain, according to its listing; a lock anchors the listing by digests. */
import { basename, join } from 'node:path';
import type { Sidecar } from '../app/pin.ts';
import { digest } from '../base/digest.ts';
import { readText } from '../base/files.ts';
import { FILES, MANIFEST, parseEntryName } from '../base/store-layout.ts';
import { isTransient } from '../base/thrown.ts';
import { identify } from '../plan/identity.ts';
import { createListed, type Listed } from './listed.ts';
import {
  type Expected,
  expectFiles,
  type Files,
  findNotGenerated,
  listNatives,
  measureListings,
  parseFiles,
} from './listing.ts';
import type { Manifest } from './manifest.ts';

/** Bytes of a listing without a lock; an install never writes a longer one. */
export const MAX_LISTING = 32 * 2 ** 20;
/** Bytes that list the files made by install scripts, which no lock can know. */
export const MAX_GENERATED = 4 * 2 ** 20;

/** What an entry must contain. */
export interface Contents extends Listed {
  /** Every file. The listing is parsed when this is first read. */
  readonly files: Expected;
  /** Compiled code and programs: see `listNatives`. */
  natives: [path: string, value: string][];
  /** Paths of its packages. */
  packages: string[];
  /** Names that the entry takes from core. */
  shared: ReadonlySet<string>;
  /** Files that install scripts made, changed or removed. */
  generated: string[];
}

/**
 * Reads what an entry must contain.
 *
 * @param dir directory of the entry
 * @param sidecar the lock that pins the entry; without one, the entry's own listing is trusted
 * @returns a clause on what is wrong with the listing
 * @throws transient errors of the file system
 */
export function readContents(
  dir: string,
  manifest: Manifest,
  sidecar: Sidecar | undefined,
): Contents | string {
  const files = readFiles(dir, sidecar);
  if (files === undefined) return `${FILES} cannot be read`;
  const mismatch = sidecar && findUnlocked(dir, files, manifest, sidecar);
  if (mismatch !== undefined) return mismatch;
  const { scripts } = sidecar ?? manifest;
  const impossible = findNotGenerated(files.generated, manifest.closure, scripts);
  if (impossible !== undefined) return `${FILES} lists ${impossible} as made by a script`;
  let expected: Expected | undefined;
  return {
    ...createListed(files),
    get files() {
      expected ??= expectFiles(files);
      return expected;
    },
    natives: listNatives(files),
    packages: [...files.packages.keys()],
    shared: new Set(Object.keys(manifest.shared)),
    generated: [...files.generated.keys()],
  };
}

function readFiles(dir: string, sidecar: Sidecar | undefined): Files | undefined {
  const max =
    sidecar === undefined
      ? MAX_LISTING
      : measureListings(sidecar.packages) + (sidecar.scripts.length > 0 ? MAX_GENERATED : 0);
  try {
    return parseFiles(readText(join(dir, FILES), max));
  } catch (error) {
    if (isTransient(error)) throw error;
    return undefined;
  }
}

/** Returns a clause when a manifest does not have the id that the lock pins. */
export function findForgery(
  dir: string,
  { closure, skipped = [], shared, private: privateNames }: Manifest,
  { scripts }: Sidecar,
): string | undefined {
  const content = {
    closure: [...closure, ...skipped],
    shared,
    private: privateNames,
    scripts,
  };
  return identify(content) === parseEntryName(basename(dir))?.id
    ? undefined
    : `${MANIFEST} is not what was locked`;
}

/** Compares the manifest by its id, and the listings by their digests. */
function findUnlocked(
  dir: string,
  { packages }: Files,
  manifest: Manifest,
  sidecar: Sidecar,
): string | undefined {
  const forgery = findForgery(dir, manifest, sidecar);
  if (forgery !== undefined) return forgery;
  for (const [path, listing] of packages) {
    if (digest(listing) !== sidecar.packages[path]?.listing) {
      return `${FILES} is not what was locked: ${path}`;
    }
  }
  const missing = manifest.closure.find(
    ({ path }) => path in sidecar.packages && !packages.has(path),
  );
  return missing && `${FILES} lacks ${missing.path}`;
}
