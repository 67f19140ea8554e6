/** annex update */
import { sweepTemporaries } from '../../lock/replace.ts';
import { type Command, printResults, readSettings, selectFeatures } from '../shared/command.ts';
import { describeDone, lockAll, readMinAge } from '../shared/lock-features.ts';

/** Locks features again at the newest versions; a dry run only prints the difference. */
export const update: Command = async ({ args, options, print }) => {
  const minAge = readMinAge(options);
  const isDryRun = options['dry-run'] === true;
  const settings = readSettings();
  const features = selectFeatures(settings, args);
  if (!isDryRun) sweepTemporaries(settings.core.root);
  const results = await lockAll(settings, features, {
    minAge,
    isUpdate: true,
    ...(isDryRun && { write: () => {} }),
  });
  const verb = isDryRun ? 'would be locked' : 'locked';
  return printResults(results, (result) => describeDone(result, verb), {
    names: args,
    settings,
    print: (text, data, place) => print(text, { isDryRun, ...data }, place),
  });
};
