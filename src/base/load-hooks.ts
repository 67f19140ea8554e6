/** The versions of Node on which a load hook of module.registerHooks works beside others. */

/** By major version, the first minor version that leaves imported CommonJS unchanged. */
const FIRST_MINOR: Record<number, number> = { 24: 18, 26: 2 };

/**
 * Whether Node loads a module unchanged when a load hook of module.registerHooks passes it on. Earlier
 * versions run imported CommonJS with another `require`, without `cache`, `extensions` and
 * `module.children`; modules that require each other fail ("is from a module not been linked").
 * Seen on 22.15, 24.11 to 24.17, 25.2 and 26.0; not on 24.18 to 24.21 and 26.2 to 26.10. On 22.23 a
 * load hook fails beside module.register ("loadSync is not a function").
 *
 * @param version process.versions.node
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-version-of-loadurl-context-nextload
 */
export function canWatchLoads(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const sound = FIRST_MINOR[major];
  return sound === undefined ? major > 26 : minor >= sound;
}
