/** annex list */
import { type Command, describeNone, readSettings } from '../shared/command.ts';
import { warnOfCopies } from '../shared/core-copies.ts';
import { examine } from '../shared/examine.ts';
import { cleanText } from '../shared/format.ts';
import { STATES, toListed } from '../shared/listed.ts';
import { formatList } from './list-text.ts';

/** Lists features: their packages with ranges, versions and locations, the entry, and why they are unavailable. */
export const list: Command = ({ options, print }) => {
  const { state, quiet = false } = options;
  const settings = readSettings({ isQuiet: quiet });
  const rows = examine(settings).features.map(toListed);
  if (!quiet) warnOfCopies(settings, settings.declaration.features.values());
  const summary = Object.fromEntries(
    STATES.map((state) => [state, rows.filter((row) => row.state === state).length]),
  );
  const features = state === undefined ? rows : rows.filter((row) => row.state === state);
  const text =
    rows.length === 0 ? describeNone(settings) : formatList(features, summary, Date.now());
  const names = features.map(({ feature }) => cleanText(feature)).join('\n');
  print(quiet ? names : text, { features, summary }, settings);
  return options.check === true && summary.failed !== 0 ? 1 : 0;
};
