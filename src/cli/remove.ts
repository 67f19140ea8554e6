/** annex remove FEATURE */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findFeature } from '../status.ts';
import { findStoreDistrust } from '../store/access.ts';
import { readEntryManifest } from '../store/entry.ts';
import { clearFailure } from '../store/failures.ts';
import { parseEntryName, toSlug, versionRoot } from '../store/layout.ts';
import { discard } from '../store/retired.ts';
import { type Command, findFeatures, findSettings, warn } from './command.ts';

/** Removes the entries of a feature from the store, of every ABI; layers are left alone. */
export const remove: Command = ({ args: [asked, ...rest], print }) => {
  if (asked === undefined || rest.length > 0) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  // What is no longer declared can still be taken away.
  const declared = findFeature(settings, asked);
  const feature = declared?.name ?? asked;
  const { store } = settings;
  const distrust = store === undefined ? 'there is no store' : findStoreDistrust(store);
  if (store === undefined || distrust !== undefined) {
    warn(`nothing was removed (ANNEX_STORE_UNUSABLE): ${distrust}`);
    return 1;
  }
  const slug = toSlug(feature);
  const removed = listEntries(store, slug).filter(
    // One without a manifest that can be read goes by its name.
    (dir) => (readEntryManifest(dir)?.feature ?? feature) === feature,
  );
  for (const dir of removed) discard(store, dir);
  clearFailure(store, slug);
  if (declared === undefined && removed.length === 0) {
    findFeatures(settings, [asked]);
    return 1;
  }
  const text = removed.map((dir) => `removed ${dir}`).join('\n') || `${feature} is not in ${store}`;
  print(text, { feature, removed });
  return 0;
};

function listEntries(store: string, slug: string): string[] {
  return readDirectory(versionRoot(store)).flatMap((abi) =>
    readDirectory(abi).filter((dir) => parseEntryName(basename(dir))?.slug === slug),
  );
}

function readDirectory(dir: string): string[] {
  try {
    return readdirSync(dir).map((name) => join(dir, name));
  } catch {
    return [];
  }
}
