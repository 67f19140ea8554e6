/** Lists the targets that `exports` or `imports` of a package.json have for one key, under all conditions. */

/**
 * Lists the targets of a key. Conditions choose among them; nothing else that Node reads does.
 *
 * @param field `exports` or `imports`
 * @param key `.`, `./sub` or `#internal`
 * @returns the targets, with `*` replaced
 * @see https://nodejs.org/docs/latest-v24.x/api/esm.html#resolution-algorithm-specification
 * @example listTargets({ './*': { import: './dist/*.mjs', default: './dist/*.js' } }, './a') // ['./dist/a.mjs', './dist/a.js']
 */
export function listTargets(field: unknown, key: string): string[] {
  const map = toMap(field);
  if (Object.hasOwn(map, key) && !key.includes('*')) return listLeaves(map[key]);
  let best: { pattern: string; part: string } | undefined;
  for (const pattern of Object.keys(map)) {
    const part = matchPattern(pattern, key);
    if (part !== undefined && (best === undefined || isMoreSpecific(pattern, best.pattern))) {
      best = { pattern, part };
    }
  }
  if (best === undefined) return [];
  const { pattern, part } = best;
  return listLeaves(map[pattern]).map((target) => target.replaceAll('*', () => part));
}

/** A map from keys to targets; `exports` can be the target of `.` alone. */
function toMap(field: unknown): Record<string, unknown> {
  const isObject = typeof field === 'object' && field !== null && !Array.isArray(field);
  const isMap = isObject && Object.keys(field).some((key) => /^[.#]/.test(key));
  return isMap ? (field as Record<string, unknown>) : { '.': field };
}

/** The text that `*` stands for; undefined when the pattern does not match. */
function matchPattern(pattern: string, key: string): string | undefined {
  const star = pattern.indexOf('*');
  if (star === -1 || star !== pattern.lastIndexOf('*')) return undefined;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const isMatch =
    key.length >= pattern.length && key !== before && key.startsWith(before) && key.endsWith(after);
  return isMatch ? key.slice(star, key.length - after.length) : undefined;
}

/** The longer text before `*` wins, then the longer pattern. */
function isMoreSpecific(pattern: string, other: string): boolean {
  const difference = pattern.indexOf('*') - other.indexOf('*');
  return difference === 0 ? pattern.length > other.length : difference > 0;
}

function listLeaves(target: unknown): string[] {
  if (typeof target === 'string') return [target];
  if (typeof target !== 'object' || target === null) return [];
  return Object.values(target).flatMap(listLeaves);
}
