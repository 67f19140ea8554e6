/** On which versions of Node a load hook of module.registerHooks may stand beside others. */

/** By line, the first minor release in which CommonJS that is imported stays what it is. */
const SOUND: Record<number, number> = { 24: 18, 26: 2 };

/**
 * Whether a load hook of module.registerHooks leaves what it passes on as it is. Before, Node runs
 * CommonJS that is imported through one with a `require` of its own: without `cache`, `extensions` and
 * `module.children`, and modules that require each other fail ("is from a module not been linked").
 * Seen on 22.15, 24.11 to 24.17, 25.2 and 26.0; not on 24.18 to 24.21 and 26.2 to 26.10. On 22.23 a
 * load hook fails beside module.register ("loadSync is not a function").
 *
 * @param version process.versions.node
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-version-of-loadurl-context-nextload
 */
export function canWatchLoads(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const sound = SOUND[major];
  return sound === undefined ? major > 26 : minor >= sound;
}
