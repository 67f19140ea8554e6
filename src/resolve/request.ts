/** A request as the drivers hand it over, and what Node answers to it. */

/** What is to be resolved. */
export interface Request {
  specifier: string;
  kind: 'import' | 'require';
  /**
   * Path of the file that asks; undefined when it is none (`data:`, the command line). With
   * `hasPaths`, a name in the one directory that the look-up starts from.
   */
  parent: string | undefined;
  /** require.resolve was given `paths`. */
  hasPaths: boolean;
}

/** What Node answered. */
export type Outcome<R> = { result: R } | { error: unknown };

/**
 * A question to Node: resolve the specifier as from this file, or, when undefined, as asked.
 * A driver answers it at once (registerHooks, require) or after a while (off-thread hooks).
 */
export type Question = string | undefined;

/** The result, or the error thrown. */
export function unwrap<R>(outcome: Outcome<R>): R {
  // By the own property: a program can have put an `error` on Object.prototype.
  if (Object.hasOwn(outcome, 'result')) return (outcome as { result: R }).result;
  throw (outcome as { error: unknown }).error;
}
