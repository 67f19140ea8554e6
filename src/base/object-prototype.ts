/** Hides properties that the program added to Object.prototype, which every options object would inherit. */

const { defineProperty, deleteProperty, getOwnPropertyDescriptor, ownKeys, setPrototypeOf } =
  Reflect;
const target = Object.prototype;

/** The properties of the language. */
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

/** The hidden additions; undefined while none are hidden. */
let hidden: Addition[] | undefined;

/**
 * Calls a synchronous function while the additions are hidden. Additions that are not configurable stay.
 *
 * @example hideAdditions(() => mkdirSync(path, { mode: 0o755 })) // whatever Object.prototype.recursive is
 */
export function hideAdditions<T>(run: () => T): T {
  if (hidden !== undefined) return run();
  hidden = removeAdditions();
  try {
    return run();
  } finally {
    restoreAdditions(hidden);
    hidden = undefined;
  }
}

/** Calls a function of the program from within `hideAdditions`, with the additions restored. */
export function showAdditions<T>(run: () => T): T {
  if (hidden === undefined) return run();
  restoreAdditions(hidden);
  hidden = undefined;
  try {
    return run();
  } finally {
    hidden = removeAdditions();
  }
}

function removeAdditions(): Addition[] {
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

function restoreAdditions(additions: Addition[]): void {
  for (let at = 0; at < additions.length; at++) {
    const addition = additions[at] as Addition;
    defineProperty(target, addition[0], addition[1]);
  }
}
