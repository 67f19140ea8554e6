/** annex remove FEATURE */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findStoreDistrust } from '../store/access.ts';
import { readEntryManifest } from '../store/entry.ts';
import { clearFailure } from '../store/failures.ts';
import { parseEntryName, versionRoot } from '../store/layout.ts';
import { retire } from '../store/publish.ts';
import { type Command, findFeatures, findSettings, warn } from './command.ts';

/** Removes the entries of a feature from the store, of every ABI; layers are left alone. */
export const remove: Command = ({ args, print }) => {
  if (args.length !== 1) return undefined;
  const settings = findSettings();
  const [feature] = (settings && findFeatures(settings, args)) ?? [];
  if (settings === undefined || feature === undefined) return 1;
  const { store } = settings;
  const distrust = store === undefined ? 'there is no store' : findStoreDistrust(store);
  if (store === undefined || distrust !== undefined) {
    warn(`nothing was removed (ANNEX_STORE_UNUSABLE): ${distrust}`);
    return 1;
  }
  const removed = listEntries(store).filter(
    (dir) => readEntryManifest(dir)?.feature === feature.name,
  );
  for (const dir of removed) retire(store, dir);
  clearFailure(store, feature);
  const text =
    removed.map((dir) => `removed ${dir}`).join('\n') || `${feature.name} is not in ${store}`;
  print(text, { feature: feature.name, removed });
  return 0;
};

function listEntries(store: string): string[] {
  return readDirectory(versionRoot(store)).flatMap((abi) =>
    readDirectory(abi).filter((dir) => parseEntryName(dir.slice(abi.length + 1)) !== undefined),
  );
}

function readDirectory(dir: string): string[] {
  try {
    return readdirSync(dir).map((name) => join(dir, name));
  } catch {
    return [];
  }
}
