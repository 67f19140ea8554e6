/** annex config */
import { composeNotice } from '../../base/messages.ts';
import { SETTINGS } from '../../settings/table.ts';
import type { Command } from '../shared/command.ts';
import { type ConfigRow, type Origin, readConfig, type ShownValue } from '../shared/read-config.ts';
import { paint } from '../shared/terminal.ts';

/** Prints every setting: its value, where it is from, what it overrode, and what is invalid. */
export const config: Command = ({ print }) => {
  const { settings, absence, ...config } = readConfig();
  const problems = [...(absence === undefined ? [] : [absence]), ...config.problems];
  const lines = [...settings.flatMap(describe), ...problems.map(composeNotice)];
  print(lines.join('\n'), { settings, problems }, config.application);
  return 0;
};

const WIDTH = Math.max(...Object.keys(SETTINGS).map((key) => key.length)) + 2;

function describe({ setting, value, from, overrode }: ConfigRow): string[] {
  const line = `${paint('bold', setting)}${' '.repeat(WIDTH - setting.length)}${show(value, setting === 'store' ? ':' : ', ')}`;
  if (from.length === 0) return [`${line} (default)`];
  const details = [
    ...from.map(({ place, isMisspelled }) => `from ${place}${isMisspelled ? ', misspelled' : ''}`),
    ...overrode.map((one: Origin) => `overrides ${one.place}: ${show(one.value)}`),
  ];
  return [line, ...details.map((detail) => `${''.padEnd(WIDTH)}${detail}`)];
}

const show = (value: ShownValue, separator = ', '): string =>
  (Array.isArray(value) ? value.join(separator) : String(value)) || 'none';
