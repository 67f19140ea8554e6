/** annex config */
import { composeNotice } from '../../base/messages.ts';
import type { Settings } from '../../settings/settings.ts';
import { SETTINGS } from '../../settings/table.ts';
import type { Command } from '../shared/command.ts';
import { NOT_HASHED } from '../shared/format.ts';
import { type ConfigRow, type Origin, readConfig, type ShownValue } from '../shared/read-config.ts';
import { paint } from '../shared/terminal.ts';

/** Prints every setting: its value, where it is from, what it overrode, and what is invalid. */
export const config: Command = ({ print }) => {
  const { settings, absence, ...config } = readConfig();
  const problems = [...(absence === undefined ? [] : [absence]), ...config.problems];
  const lines = [
    ...settings.flatMap((row) => describe(row, config.application)),
    ...problems.map(composeNotice),
  ];
  print(lines.join('\n'), { settings, problems }, config.application);
  return 0;
};

const WIDTH = Math.max(...Object.keys(SETTINGS).map((key) => key.length)) + 2;

function describe(
  { setting, value, from, overrode }: ConfigRow,
  application: Settings | undefined,
): string[] {
  const line = `${paint('bold', setting)}${' '.repeat(WIDTH - setting.length)}${show(value, setting === 'store' ? ':' : ', ')}`;
  const isTrusting = setting === 'verify' && application?.trustsLayers;
  if (from.length === 0) return [`${line} (default${isTrusting ? `; ${NOT_HASHED}` : ''})`];
  const details = [
    ...from.map(({ place, isMisspelled }) => `from ${place}${isMisspelled ? ', misspelled' : ''}`),
    ...overrode.map((one: Origin) => `overrides ${one.place}: ${show(one.value)}`),
  ];
  return [line, ...details.map((detail) => `${''.padEnd(WIDTH)}${detail}`)];
}

const show = (value: ShownValue, separator = ', '): string =>
  (Array.isArray(value) ? value.join(separator) : String(value)) || 'none';
