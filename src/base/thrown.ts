/** Reads thrown values, which can have any type. */
import { redact } from './messages.ts';

/**
 * The `code` of a thrown value. Node has no name for ESTALE and EDQUOT, which are 116 and 122 on Linux.
 *
 * @see https://github.com/libuv/libuv/blob/v1.51.0/include/uv.h UV_ERRNO_MAP
 */
export function codeOf(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  if (errno === -116) return 'ESTALE';
  if (errno === -122) return 'EDQUOT';
  return typeof code === 'string' ? code : undefined;
}

/** Whether an error of the file system means that a path does not exist. */
export const isNotFound = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');

const TRANSIENT = new Set([
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'],
  ...['ENOTCONN', 'ECONNABORTED', 'ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'EHOSTUNREACH'],
]);

/**
 * Whether an error is independent of the file: the process or the machine lacks handles or memory, or the server or the
 * program behind a mount does not respond.
 */
export const isTransient = (error: unknown): boolean => TRANSIENT.has(codeOf(error) ?? '');

/** The first line of the message of a thrown value, without credentials. */
export function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  const isText = error === null || !['object', 'function'].includes(typeof error);
  const text = typeof message === 'string' ? message : isText ? String(error) : 'no message';
  return redact(text.split('\n', 1)[0] ?? '');
}

/**
 * The stack of an error. `Error.prepareStackTrace` of the program makes it: it can have any type, often
 * a list of call sites, and can throw.
 *
 * @returns undefined unless it is text
 */
export function stackOf(error: Error): string | undefined {
  try {
    const stack: unknown = error.stack;
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}
