/** Keeps verified tarballs of a feature in staging until it is published, so that each try gets further. */
import { lstatSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { computeIntegrity, type Digests, isStrong } from '../base/digest.ts';
import { readRegular } from '../base/files.ts';
import { STAGING, VERSION } from '../base/store-layout.ts';
import {
  type DirHandle,
  ignoreErrors,
  makeIn,
  openIn,
  sampleNames,
  useDir,
  withDir,
} from './directory.ts';
import { nameOwner } from './owner.ts';
import { type Allowance, tryRemoveIn } from './tree.ts';

/** The tarballs of one feature. */
export interface Kept {
  /** A tarball with one of the digests; undefined if no tarball matches, or it is larger than `maxBytes`. */
  take(digests: Digests | undefined, maxBytes: number): Buffer | undefined;
  /** Keeps a tarball that has one of the digests, unless the limits or the file system forbid it. */
  keep(digests: Digests | undefined, tarball: Buffer): void;
}

/** How long a tarball is kept, ms. */
const MAX_AGE = 24 * 3_600_000;
/** Limits of one feature: tarballs, and their bytes. */
const MAX_FILES = 1_000;
const MAX_BYTES = 512 * 2 ** 20;
/** Directories of features that one sweep looks at. */
const MAX_DIRS = 1_000;

const SUFFIX = '.kept';

/** Name of the directory of a feature, by its slug: no owner is part of it, so that the next try finds it. */
const keptName = (slug: string): string => `${slug}${SUFFIX}`;

/** `sha512-0f…`: base64 has characters that a file name cannot have. */
const toFileName = (digest: string, algorithm: string): string =>
  `${algorithm}-${Buffer.from(digest.slice(algorithm.length + 1), 'base64').toString('hex')}`;

const inKept = <T>(store: string, slug: string, use: (dir: DirHandle) => T): T =>
  withDir(store, [VERSION, STAGING, keptName(slug)], use);

/**
 * Opens the tarballs that are kept for a feature. Only the holder of its lock calls this.
 *
 * @example
 * const kept = openKept(store, 'exa-js');
 * const tarball = kept.take(digests, size) ?? (await fetchTarball(wanted)).tarball;
 */
export function openKept(store: string, slug: string): Kept {
  const room = { files: MAX_FILES, bytes: MAX_BYTES };
  let isPresent = ignoreErrors(() => inKept(store, slug, (dir) => measure(dir, room)));
  return {
    take(digests, maxBytes) {
      if (!isPresent || digests === undefined || !isStrong(digests)) return undefined;
      const { algorithm, all } = digests;
      for (const digest of all) {
        // Nothing larger is kept, but others may be able to write the store, and change the file meanwhile: what is hashed is
        // what was read, and it is not read again.
        const name = toFileName(digest, algorithm);
        const bytes = read(store, slug, name, Math.min(maxBytes, MAX_BYTES));
        if (bytes !== undefined && computeIntegrity(bytes, algorithm) === digest) return bytes;
      }
      return undefined;
    },
    keep(digests, tarball) {
      if (digests === undefined || !isStrong(digests)) return;
      if (room.files < 1 || room.bytes < tarball.length) return;
      const { algorithm } = digests;
      const name = toFileName(computeIntegrity(tarball, algorithm), algorithm);
      isPresent ||= ignoreErrors(() =>
        withDir(store, [VERSION, STAGING], (dir) => makeIn(dir, keptName(slug), 0o755)),
      );
      const isKept = ignoreErrors(() =>
        inKept(store, slug, (dir) => {
          tryRemoveIn(dir, name);
          writeFileSync(dir.at(name), tarball, { flag: 'wx', mode: 0o644 });
        }),
      );
      if (!isKept) return;
      room.files -= 1;
      room.bytes -= tarball.length;
    },
  };
}

/** Removes what is kept for a feature. Renamed first: the next install sweeps what a killed one leaves of it. */
export function dropKept(store: string, slug: string): void {
  const owned = `${slug}.${nameOwner()}`;
  ignoreErrors(() =>
    withDir(store, [VERSION, STAGING], (dir) => {
      renameSync(dir.at(keptName(slug)), dir.at(owned));
      tryRemoveIn(dir, owned);
    }),
  );
}

/**
 * Removes what has been kept for longer than a day, of any feature.
 *
 * @param now wall clock, ms since the epoch
 */
export function sweepKept(store: string, now: number, allowance?: Allowance): void {
  ignoreErrors(() =>
    withDir(store, [VERSION, STAGING], (staging) => sweepAll(staging, now, allowance)),
  );
}

function sweepAll(staging: DirHandle, now: number, allowance: Allowance | undefined): void {
  const names = sampleNames(staging, MAX_DIRS).filter((name) => name.endsWith(SUFFIX));
  for (const name of names) {
    ignoreErrors(() => {
      useDir(openIn(staging, name), (dir) => {
        for (const file of sampleNames(dir, MAX_FILES)) {
          if (isOld(dir, file, now)) tryRemoveIn(dir, file, allowance);
        }
      });
      rmdirSync(staging.at(name));
    });
  }
}

/** A clock that was set back must not extend it. */
const isOld = (dir: DirHandle, name: string, now: number): boolean =>
  Math.abs(now - lstatSync(dir.at(name)).mtimeMs) > MAX_AGE;

/** Subtracts what is there. */
function measure(dir: DirHandle, room: { files: number; bytes: number }): void {
  for (const name of sampleNames(dir, MAX_FILES)) {
    room.files -= 1;
    room.bytes -= lstatSync(dir.at(name), { throwIfNoEntry: false })?.size ?? 0;
  }
}

function read(store: string, slug: string, name: string, maxBytes: number): Buffer | undefined {
  try {
    return inKept(store, slug, (dir) =>
      isOld(dir, name, Date.now()) ? undefined : readRegular(dir.at(name), maxBytes),
    );
  } catch {
    return undefined;
  }
}
