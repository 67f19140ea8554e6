/** What counts as a boolean in a setting. */

const ON = new Set(['1', 'true', 'yes', 'on']);
const OFF = new Set(['0', 'false', 'no', 'off']);

/**
 * Reads a switch, any case; undefined for what is none (the caller then takes the restrictive
 * value and says so).
 *
 * @example parseSwitch('Yes') // true
 */
export function parseSwitch(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const word = String(value).trim().toLowerCase();
  if (ON.has(word)) return true;
  return OFF.has(word) ? false : undefined;
}
