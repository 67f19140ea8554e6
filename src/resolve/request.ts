/** Requests to resolve, and Node's answers. */

/** A request to resolve. */
export interface Request {
  specifier: string;
  kind: 'import' | 'require';
  /**
   * Path of the parent file; undefined when there is none (`data:`, the command line). With `hasPaths`, any
   * name in the directory at which the search starts.
   */
  parent: string | undefined;
  /** require.resolve was given `paths`. */
  hasPaths: boolean;
}

/** Node's answer. */
export type Outcome<R> = { result: R } | { error: unknown };

/**
 * A question to Node: resolve the request as it was made, or from another file, or with another specifier. Drivers answer
 * synchronously (registerHooks, require) or asynchronously (off-thread hooks).
 */
export interface Question {
  from?: string | undefined;
  specifier?: string;
}

/** Returns the result, or throws the error. */
export function unwrap<R>(outcome: Outcome<R>): R {
  // A program may have added `error` to Object.prototype.
  if (Object.hasOwn(outcome, 'result')) return (outcome as { result: R }).result;
  throw (outcome as { error: unknown }).error;
}
