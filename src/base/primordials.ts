/** Built-in functions, captured before a program can replace them, for code that runs on every request. */

const { bind, call } = Function.prototype;

/**
 * Turns a method into a function of its receiver, which needs no property at call time.
 *
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/per_context/primordials.js uncurryThis
 * @example uncurry(String.prototype.trim)(' a ') // 'a'
 */
const uncurry = bind.bind(call) as unknown as <S, A extends unknown[], R>(
  method: (this: S, ...args: A) => R,
) => (self: S, ...args: A) => R;

/** Reflect.apply: calls a function with a receiver and a list of arguments. */
export const { apply } = Reflect;

export const startsWith: (text: string, part: string) => boolean = uncurry(
  String.prototype.startsWith,
);
export const includes: (text: string, part: string) => boolean = uncurry(String.prototype.includes);
export const indexOf: (text: string, part: string, from?: number) => number = uncurry(
  String.prototype.indexOf,
);
export const slice: (text: string, start: number, end?: number) => string = uncurry(
  String.prototype.slice,
);
/** RegExp.prototype.exec; its result is read by index, not by destructuring, which iterates. */
export const exec: (pattern: RegExp, text: string) => RegExpExecArray | null = uncurry(
  RegExp.prototype.exec,
);
export const setHas: <T>(set: ReadonlySet<T>, item: T) => boolean = uncurry(Set.prototype.has);
export const mapHas: <K>(map: ReadonlyMap<K, unknown>, key: K) => boolean = /* @__PURE__ */ uncurry(
  Map.prototype.has,
);
export const weakGet: <K extends object, V>(map: WeakMap<K, V>, key: K) => V | undefined = uncurry(
  WeakMap.prototype.get,
);
export const weakSet: <K extends object, V>(map: WeakMap<K, V>, key: K, value: V) => unknown =
  uncurry(WeakMap.prototype.set);
