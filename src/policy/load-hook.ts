/** On which versions of Node a load hook may give the source of every module. */

/** By line, the first minor release in which CommonJS that is imported stays what it is. */
const SOUND: Record<number, number> = { 24: 18, 26: 2 };

/**
 * Whether a load hook of module.registerHooks may return the source of imported CommonJS. Before, Node
 * runs such a module with a `require` of its own: without `cache`, `extensions` and `module.children`,
 * and modules that require each other fail ("is from a module not been linked"). Seen on 22.15 to
 * 22.23, 24.11 to 24.17, 25.2 and 26.0; not on 24.18 to 24.21 and 26.2 to 26.10.
 *
 * @param version process.versions.node
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-version-of-loadurl-context-nextload
 */
export function canGiveSource(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const sound = SOUND[major];
  return sound === undefined ? major > 26 : minor >= sound;
}
