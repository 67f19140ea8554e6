/** AnnexError, the only error that annex throws. */
import type { ErrorCode, Refusal } from '../types.ts';
import { type Context, composeMessage, composeNotice } from './messages.ts';
import { codeOf, stackOf } from './thrown.ts';

/**
 * Why a feature is unavailable, and a remedy in this deployment. In a hook it is the `cause` of Node's own
 * not-found error.
 *
 * @example
 * try { await ensure('search.exa') } catch (error) {
 *   if (error instanceof AnnexError && error.code === 'ANNEX_OFFLINE') useAnotherBackend(error.hint);
 * }
 */
export class AnnexError extends Error {
  override readonly name = 'AnnexError';
  readonly code: ErrorCode;
  readonly feature: string;
  readonly specifier: string | undefined;
  readonly hint: string;
  /**
   * Not enumerable: programs print and compare the properties of an error.
   *
   * @internal
   */
  declare readonly refusal: Refusal;

  /**
   * Without a context the error is internal to annex: `feature` is empty, and the message names
   * the refusal alone. A program only gets errors with a context.
   */
  constructor(refusal: Refusal, context?: Context, options?: { cause?: unknown }) {
    super(
      context === undefined ? composeNotice(refusal) : composeMessage(refusal, context),
      options,
    );
    this.code = refusal.code;
    this.feature = context?.feature ?? '';
    this.specifier = context?.specifier;
    this.hint = refusal.hint;
    Object.defineProperty(this, 'refusal', { value: refusal });
  }

  /** True for an AnnexError of any copy of annex: of the preload, another thread, another version. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return (
      value instanceof Error && value.name === 'AnnexError' && /^ANNEX_/.test(`${codeOf(value)}`)
    );
  }
}

/**
 * The refusal of a thrown value, for the border of a process, thread or file.
 *
 * @param fallback makes the refusal of any other error, and of an AnnexError of another version, which
 *   may carry none
 * @example toRefusal(error, () => refuseByFileError(error, store))
 */
export const toRefusal = (error: unknown, fallback: () => Refusal): Refusal =>
  (error instanceof AnnexError ? (error.refusal as Refusal | undefined) : undefined) ?? fallback();

/**
 * Adds a cause to Node's own error, and a line to its message. Returns the same object, which keeps its
 * code, url and requireStack.
 */
export function explain(error: unknown, cause: AnnexError): unknown {
  if (!(error instanceof Error) || error.cause !== undefined) return error;
  const before: unknown = error.message;
  const stack = stackOf(error);
  // Defined, not assigned: the stack of an error from another thread is read-only. Like a cause of the
  // constructor, this one is not enumerable.
  const define = (key: string, value: unknown): boolean =>
    Reflect.defineProperty(error, key, { value, configurable: true, writable: true });
  define('cause', cause);
  if (typeof before !== 'string') return error;
  const after = `${before}\n${cause.message}`;
  define('message', after);
  if (stack?.includes(before))
    define(
      'stack',
      stack.replace(before, () => after),
    );
  return error;
}
