/** Every way in which one value of a JSON document can be wrong, for tests of its readers. */

/** Whatever the type of a field, all but one of these have another type. */
export const WRONG: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  '',
  'x',
  '\u001b[31m\n',
  'x'.repeat(2 ** 15),
  [],
  [null],
  [['x']],
  {},
  { x: null },
  { x: { ranges: 5 } },
];

/** Path of a value in a document. */
export type Path = readonly (string | number)[];

/** The paths of all values of a document, the document itself first. */
export function listPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Array.isArray(value)
    ? value.map((one, index) => [index, one] as const)
    : Object.entries(value);
  return [path, ...below.flatMap(([key, one]) => listPaths(one, [...path, key]))];
}

/** A copy of a document with another value at a path; undefined removes the field. */
export function replaceAt(document: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const copy = structuredClone(document) as Record<string | number, unknown>;
  copy[key] = replaceAt(copy[key], rest, value);
  return copy;
}

/** Every document that differs from this one in one value, with a name. */
export const listWrong = (document: unknown): { name: string; document: unknown }[] =>
  listPaths(document).flatMap((path) =>
    WRONG.map((value) => ({
      name: `${path.join('.') || 'all of it'} is ${JSON.stringify(value)?.slice(0, 40)}`,
      document: replaceAt(document, path, value),
    })),
  );
