/** Checks the shape of JSON that another program may have written. */

/** Whether a value has the expected shape. */
export type Check = (value: unknown) => boolean;

/** Characters of a range, a path or a reason. */
const MAX_TEXT = 2 ** 14;

export const isText: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT;
export const isTrue: Check = (value) => value === true;
/** A number of bytes or of attempts. */
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** A point in time, ms since the epoch. */
export const isTime: Check = (value) => Number.isFinite(value);

export const isOneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

export const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

export const isRecordOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);

/**
 * An object with these own fields. Other fields are ignored.
 *
 * @param optional fields that may be missing
 */
export const isShape =
  (fields: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  (value) =>
    isObject(value) &&
    Object.entries(fields).every(
      ([key, check]) => Object.hasOwn(value, key) && check(value[key]),
    ) &&
    Object.entries(optional).every(
      ([key, check]) => !Object.hasOwn(value, key) || check(value[key]),
    );

/** Levels of any JSON that annex or a tool for images writes, and many more. */
const MAX_LEVELS = 100;

/** Whether a value can be written as JSON again: JSON.parse also reads what is nested too deeply for JSON.stringify. */
export const isShallow = (value: unknown, levels = MAX_LEVELS): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((one) => isShallow(one, levels - 1)));

/** A parsed JSON object. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is an object other than an array. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The value of a record's own key: a package can be named `constructor`.
 *
 * @example ownOf({ zod: '4.1.0' }, 'constructor') // undefined
 */
export const ownOf = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** The shared packages of an entry: names to ranges and a version. */
export const isShared: Check = isRecordOf(isShape({ ranges: isListOf(isText), version: isText }));

const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);

/** The https address of a repository, without credentials and parameters. */
export const isRepository: Check = matches(
  /^https:\/\/[\w.-]{1,253}(?::\d{1,5})?(?:\/[\w.~-]{1,255}){1,20}$/,
);

/** The source that a package was built from. */
export const isProvenance: Check = isShape({
  repository: isRepository,
  commit: matches(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
});

/** A field of a parsed JSON object; undefined for any other value. */
export const fieldOf = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
