/** Keeps the results of a function of one string. */

/** Results that are kept. A program chooses the names that it requests, so their number has no other bound. */
export const MAX_REMEMBERED = 10_000;

/**
 * Computes the result for each argument once, until too many are kept. Then it forgets them all.
 *
 * @param isKept whether to keep a result; by default each one
 * @example const parse = remember((path) => JSON.parse(readText(path)))
 */
export function remember<T>(
  compute: (key: string) => T,
  isKept: (result: T) => boolean = () => true,
): (key: string) => T {
  const known = new Map<string, { result: T }>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found.result;
    const result = compute(key);
    if (!isKept(result)) return result;
    if (known.size === MAX_REMEMBERED) known.clear();
    known.set(key, { result });
    return result;
  };
}
