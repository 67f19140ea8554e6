/** annex uninstall FEATURE */
import { toRealPath } from '../app/core.ts';
import { toSlug } from '../base/store-layout.ts';
import { findFeature } from '../status/status.ts';
import { findStoreDistrust } from '../store/access.ts';
import { clearFailure } from '../store/failures.ts';
import { discard } from '../store/retire.ts';
import { listStored } from '../store/stored.ts';
import { type Command, findFeatures, findSettings, warn } from './command.ts';

/** Removes the entries of a feature from the store, of every ABI; layers are left alone. */
export const uninstall: Command = ({ args: [asked, ...rest], print }) => {
  if (asked === undefined || rest.length > 0) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  // An entry outlives the declaration of its feature.
  const declared = findFeature(settings, asked);
  const feature = declared?.name ?? asked;
  const { store: configured } = settings;
  const distrust = configured === undefined ? 'there is no store' : findStoreDistrust(configured);
  if (configured === undefined || distrust !== undefined) {
    warn(`nothing was removed (ANNEX_STORE_UNUSABLE): ${distrust}`);
    return 1;
  }
  const store = toRealPath(configured);
  const slug = toSlug(feature);
  const removed = listStored(store, slug)
    // One whose manifest is damaged goes by its name.
    .filter(({ manifest, foreign }) => !foreign && (manifest?.feature ?? feature) === feature)
    .map(({ dir }) => dir);
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
