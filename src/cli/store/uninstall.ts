/** annex uninstall */
import { toSlug } from '../../base/store-layout.ts';
import { findFeature } from '../../status/status.ts';
import { clearFailure } from '../../store/failures.ts';
import { discard } from '../../store/retire.ts';
import { listStored } from '../../store/stored.ts';
import { type Command, readSettings, requireStore, selectFeatures } from '../shared/command.ts';
import { inStores } from '../shared/in-stores.ts';

/** Removes the entries of a feature from the store, for every ABI. Layers stay. */
export const uninstall: Command = ({ args: [name = ''], print }) => {
  const settings = readSettings();
  // An entry outlives the declaration of its feature.
  const declared = findFeature(settings, name);
  const feature = declared?.name ?? name;
  const store = requireStore(settings, 'removed');
  const slug = toSlug(feature);
  const removed = inStores(settings, () => {
    const dirs = listStored(store, slug)
      // Without a readable manifest, the name of the entry decides.
      .filter(({ manifest, foreign }) => !foreign && (manifest?.feature ?? feature) === feature)
      .map(({ dir }) => dir);
    for (const dir of dirs) discard(store, dir);
    clearFailure(store, slug);
    return dirs;
  });
  // Refuses a name that is neither declared nor in the store.
  if (removed.length === 0) selectFeatures(settings, [name]);
  const text = removed.map((dir) => `removed ${dir}`).join('\n') || `${feature} is not in ${store}`;
  print(text, { feature, removed }, settings);
  return 0;
};
