/** On which versions of Node a load hook may be registered. */

/** The first release of a line in which a load hook leaves required CommonJS as it is. */
const SOUND: Record<number, [minor: number, patch: number]> = { 22: [22, 3], 24: [11, 1] };

/**
 * Whether a load hook of module.registerHooks sees every load, and changes nothing by being there.
 * Before, imported CommonJS loses `require.cache`, `extensions` and `main`; 23 and 25 are over.
 *
 * @param version process.versions.node
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/cjs/loader.js loadSource
 */
export function canHookLoads(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number.parseFloat);
  const sound = SOUND[major];
  if (sound === undefined) return major >= 26;
  return minor > sound[0] || (minor === sound[0] && patch >= sound[1]);
}
