/** Keeps the results of a function of one string. */

/**
 * Computes the result for each argument once.
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
    if (isKept(result)) known.set(key, { result });
    return result;
  };
}
