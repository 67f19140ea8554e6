/** Runs code of annex as if the program had put nothing on Object.prototype, where every options object would read it. */

const { defineProperty, deleteProperty, getOwnPropertyDescriptor, ownKeys, setPrototypeOf } =
  Reflect;
const target = Object.prototype;

/** What the language itself has there. */
const STANDARD: Record<PropertyKey, true> = Object.assign(Object.create(null), {
  constructor: true,
  hasOwnProperty: true,
  isPrototypeOf: true,
  propertyIsEnumerable: true,
  toLocaleString: true,
  toString: true,
  valueOf: true,
  __defineGetter__: true,
  __defineSetter__: true,
  __lookupGetter__: true,
  __lookupSetter__: true,
  ['__proto__']: true,
});

type Addition = [key: PropertyKey, descriptor: PropertyDescriptor];

/** What is taken away at this moment; undefined when nothing has been. */
let hidden: Addition[] | undefined;

/**
 * Calls a synchronous function while Object.prototype has none of the program's own properties. Those
 * that cannot be configured stay.
 *
 * @example hideAdditions(() => mkdirSync(path, { mode: 0o755 })) // whatever Object.prototype.recursive is
 */
export function hideAdditions<T>(run: () => T): T {
  if (hidden !== undefined) return run();
  hidden = take();
  try {
    return run();
  } finally {
    give(hidden);
    hidden = undefined;
  }
}

/** Calls a function of somebody else's from within: it sees Object.prototype as the program has it. */
export function showAdditions<T>(run: () => T): T {
  if (hidden === undefined) return run();
  give(hidden);
  hidden = undefined;
  try {
    return run();
  } finally {
    hidden = take();
  }
}

function take(): Addition[] {
  const additions: Addition[] = [];
  const keys = ownKeys(target);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as PropertyKey;
    if (STANDARD[key]) continue;
    const descriptor = getOwnPropertyDescriptor(target, key);
    if (descriptor?.configurable !== true || !deleteProperty(target, key)) continue;
    setPrototypeOf(descriptor, null);
    additions[additions.length] = [key, descriptor];
  }
  return additions;
}

function give(additions: Addition[]): void {
  for (let at = 0; at < additions.length; at++) {
    const addition = additions[at] as Addition;
    defineProperty(target, addition[0], addition[1]);
  }
}
