/** annex list */
import { composeMetrics } from '../../status/metrics.ts';
import { type Command, describeNone, readSettings } from '../shared/command.ts';
import { warnOfCopies } from '../shared/core-copies.ts';
import { examine } from '../shared/examine.ts';
import { cleanText } from '../shared/format.ts';
import { STATES, toListed } from '../shared/listed.ts';
import { formatList } from './list-text.ts';

/** Lists features: their packages with ranges, versions and locations, the entry, and why they are unavailable. */
export const list: Command = ({ options, print }) => {
  const { state, quiet = false, metrics = false } = options;
  const settings = readSettings({ isQuiet: quiet || metrics });
  const rows = examine(settings).features.map(toListed);
  if (!quiet && !metrics) warnOfCopies(settings, settings.declaration.features.values());
  const summary = Object.fromEntries(
    STATES.map((state) => [state, rows.filter((row) => row.state === state).length]),
  );
  const features = state === undefined ? rows : rows.filter((row) => row.state === state);
  const table =
    rows.length === 0 ? describeNone(settings) : formatList(features, summary, Date.now());
  const names = features.map(({ feature }) => cleanText(feature)).join('\n');
  const text = metrics ? composeMetrics({ features }).trimEnd() : table;
  print(quiet ? names : text, { features, summary }, settings);
  return options.check === true && summary.failed !== 0 ? 1 : 0;
};
