/** Protects annex from a program that replaces built-in functions of JavaScript, and the program from calls of them. */

const { defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { iterator, replace, split } = Symbol;

type Property = [owner: object, key: PropertyKey, descriptor: PropertyDescriptor | undefined];

const read = (owner: object, ...keys: PropertyKey[]): Property[] =>
  keys.map((key) => [owner, key, getOwnPropertyDescriptor(owner, key)]);

/** Built-in functions that the search for the application calls, as they were when this file was loaded. */
const originals: readonly Property[] = [
  ...read(Array, 'isArray'),
  ...read(Array.prototype, 'every', 'filter', 'findIndex', 'flatMap', 'includes', 'join', 'map'),
  ...read(Array.prototype, 'push', 'slice', 'some', iterator),
  ...read(getPrototypeOf([].values()) as object, 'next'),
  ...read(JSON, 'parse'),
  ...read(Map.prototype, 'get', 'has', 'keys', 'set', iterator),
  ...read(getPrototypeOf(new Map().keys()) as object, 'next'),
  ...read(Object, 'assign', 'entries', 'hasOwn', 'keys', 'values'),
  ...read(RegExp.prototype, 'exec', 'test', replace, split),
  ...read(Set.prototype, 'add', 'has', iterator),
  ...read(String.prototype, 'endsWith', 'includes', 'replace', 'slice', 'split', 'startsWith'),
];

/** Calls a synchronous function while these built-in functions are the original ones. */
export function withBuiltins<T>(run: () => T): T {
  const replaced: Property[] = [];
  for (let at = 0; at < originals.length; at++) {
    const original = originals[at] as Property;
    const owner = original[0];
    const key = original[1];
    const present = getOwnPropertyDescriptor(owner, key);
    if (present !== undefined && present.value === original[2]?.value) continue;
    const isDefined = defineProperty(owner, key, original[2] as PropertyDescriptor);
    if (isDefined) replaced[replaced.length] = [owner, key, present];
  }
  try {
    return run();
  } finally {
    for (let at = 0; at < replaced.length; at++) {
      const one = replaced[at] as Property;
      if (one[2] === undefined) deleteProperty(one[0], one[1]);
      else defineProperty(one[0], one[1], one[2]);
    }
  }
}
