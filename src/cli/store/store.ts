/** annex store path|ls|df; prune and verify are commands of their own. */
import type { Settings } from '../../settings/settings.ts';
import { type Command, readSettings, refuse } from '../shared/command.ts';
import { inStores } from '../shared/in-stores.ts';
import { measureUse } from './store-df.ts';
import { listDirs, listEntries, type Output } from './store-ls.ts';

/** Reports on the store and its layers. Changes nothing, and reads no file of a package. */
export const store: Command = ({ args: [what = ''], options: { quiet = false }, print }) => {
  if (quiet && what !== 'ls') return `store ${what} has no --quiet`;
  const settings = readSettings({ isQuiet: quiet });
  const { text, data } = report(what, settings, quiet);
  print(text, data, settings);
  return 0;
};

function report(what: string, settings: Settings, isQuiet: boolean): Output {
  const { layers, gate } = settings;
  const path = settings.store;
  if (path === undefined) {
    const reason = gate?.code === 'ANNEX_STORE_UNUSABLE' ? gate.reason : 'there is no store';
    throw refuse(reason, 'set ANNEX_STORE to a directory of this user', 'ANNEX_STORE_UNUSABLE');
  }
  if (what === 'path') return { text: path, data: { layers } };
  return inStores(settings, () => {
    if (isQuiet) return { text: listDirs(settings), data: {} };
    return what === 'ls'
      ? listEntries(settings, Date.now())
      : measureUse(settings, path, Date.now());
  });
}
