/** annex bake */
import { resolve } from 'node:path';
import { bakeFeatures } from '../../install/bake.ts';
import {
  type Command,
  printResults,
  readSettings,
  refuse,
  selectFeatures,
} from '../shared/command.ts';

/** Fills a directory with published entries and nothing else. */
export const bake: Command = async ({ args: [dir = '', ...names], print }) => {
  const settings = readSettings({ baked: resolve(dir) });
  const features = selectFeatures(settings, names);
  if (features.length === 0) {
    const reason = `${settings.core.root}/package.json declares no feature`;
    throw refuse(reason, 'npx annex add NAME@RANGE');
  }
  const results = await bakeFeatures(settings, features);
  return printResults(
    results,
    ({ feature, outcome, dir }) => `${feature}: ${outcome === 'core' ? 'core ships it' : dir}`,
    { names, settings, print },
  );
};
