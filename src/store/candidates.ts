/** Which directories of a store have the name of an entry of a feature. */
import { lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { abiRoot, parseEntryName, toEntryName, VERSION } from '../base/store-layout.ts';
import { isNotFound } from '../base/thrown.ts';
import { type DirHandle, withDir } from './directory.ts';

/** Where to look, and for what. */
export interface Candidates {
  /** A store. */
  root: string;
  /** ABI directories. */
  abis: string[];
  slug: string;
  /** The one id that will do. */
  pinned: string | undefined;
  /** One clause for each ABI directory that is none is added here. */
  rejected: string[];
  /** Called with each directory, or entry, that could not be read. */
  onUnread: (error: unknown, path: string) => void;
  /** Names in directories that were read, for a caller that looks for many features at once. */
  names: Map<string, string[]> | undefined;
}

/** Paths of them. The entry that is locked, under its usual name, comes first: a store can be large. */
export function* listCandidates(candidates: Candidates): Generator<string, void> {
  const { root, abis, slug, pinned, rejected, onUnread, names } = candidates;
  const first = pinned && toEntryName({ slug, id: pinned, nonce: '0' });
  if (first) {
    for (const abi of abis)
      if (isDirectory(candidates, abi, first)) yield join(abiRoot(root, abi), first);
  }
  for (const dir of abis.map((abi) => abiRoot(root, abi))) {
    let all: string[] = [];
    try {
      all = names?.get(dir) ?? withDir(root, [VERSION, basename(dir)], readAll);
      names?.set(dir, all);
    } catch (error) {
      if (error instanceof AnnexError) rejected.push(error.refusal.reason);
      else if (!isNotFound(error)) onUnread(error, dir);
    }
    for (const name of all) {
      const isOurs = name.startsWith(`${slug}.`) && parseEntryName(name)?.slug === slug;
      if (isOurs && name !== first) yield join(dir, name);
    }
  }
}

const readAll = (dir: DirHandle): string[] => readdirSync(dir.at());

/** What has another kind than a directory is not there; the look at its ABI directory says why. */
function isDirectory({ root, onUnread }: Candidates, abi: string, name: string): boolean {
  try {
    return withDir(root, [VERSION, abi], (dir) => lstatSync(dir.at(name)).isDirectory());
  } catch (error) {
    if (!(error instanceof AnnexError || isNotFound(error)))
      onUnread(error, join(abiRoot(root, abi), name));
    return false;
  }
}
