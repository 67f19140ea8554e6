/** AnnexError and every message it carries, composed in one place. */
import type { ErrorCode, Refusal } from '../types.ts';

/** What a message says besides the refusal itself. */
export interface Circumstances {
  feature: string;
  specifier?: string | undefined;
  /** The file that asked, as a person would name it. */
  askedBy?: string | undefined;
}

/**
 * The one error class of annex: why a feature is unavailable, and what to do about it here.
 * In a hook it travels as the `cause` of Node's own not-found error.
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

  constructor(refusal: Refusal, circumstances: Circumstances, options?: { cause?: unknown }) {
    super(composeMessage(refusal, circumstances), options);
    this.code = refusal.code;
    this.feature = circumstances.feature;
    this.specifier = circumstances.specifier;
    this.hint = refusal.hint;
  }

  /** Whichever copy of annex made it: the preload's, another thread's, another version's. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return (
      value instanceof Error && value.name === 'AnnexError' && /^ANNEX_/.test(`${codeOf(value)}`)
    );
  }
}

/**
 * One line, always in the same order: what, which code, why, asked by which file, what state
 * things are in, what to do next.
 */
export function composeMessage(refusal: Refusal, { feature, askedBy }: Circumstances): string {
  const asked = askedBy === undefined ? '' : `, asked by ${askedBy}`;
  const state = refusal.state ?? 'Other features unaffected';
  return toLine(
    `annex: ${feature} unavailable (${refusal.code}): ${refusal.reason}${asked}. ${state}. Now: ${refusal.hint}`,
  );
}

/** One line about a setting: what is wrong, which code, what to do next. */
export function composeNotice({ code, reason, hint }: Refusal): string {
  return toLine(`annex: ${reason} (${code}). Now: ${hint}`);
}

/** One line without credentials, whatever a path or a program has put into it. */
const toLine = (text: string): string => redact(text).replace(/\p{Cc}+/gu, ' ');

/**
 * A name of a file as a terminal may show it: on one line, with control characters as JSON writes them.
 *
 * @example showName('two\nlines') // 'two\\nlines'
 */
export const showName = (name: string): string =>
  name.replace(/\p{Cc}/gu, (sign) => {
    const json = JSON.stringify(sign).slice(1, -1);
    return json === sign ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}` : json;
  });

/**
 * Takes credentials out of a text that came from elsewhere (npm, a URL, a configuration).
 *
 * @example redact('https://me:secret@registry.corp/') // 'https://***@registry.corp/'
 */
export function redact(text: string): string {
  return text
    .replace(/(\/\/)[^/\s"']+@/g, '$1***@')
    .replace(
      /((?:_auth|password|token|authorization)["']?\s*[=:]\s*["']?)(?:(?:basic|bearer)\s+)?[^\s"',}&]+/gi,
      '$1***',
    )
    .replace(/\b(npm_[A-Za-z0-9]{20,}|(?:basic|bearer)\s+[A-Za-z0-9+/=._-]{8,})/gi, '***');
}

/** An error that says why something cannot be had, for a caller that makes a result of it. */
export function makeRefused(refusal: Refusal): Error {
  return Object.assign(new Error(composeNotice(refusal)), { refusal });
}

/** The refusal that a thrown value carries. */
export function refusalOf(error: unknown): Refusal | undefined {
  return (error as { refusal?: Refusal } | null | undefined)?.refusal;
}

/**
 * The `code` of a thrown value, if it has one. Node has no name for EDQUOT, which is 122 on Linux.
 *
 * @see https://github.com/libuv/libuv/blob/v1.51.0/include/uv.h UV_ERRNO_MAP
 */
export function codeOf(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  if (errno === -122) return 'EDQUOT';
  return typeof code === 'string' ? code : undefined;
}

/** The message of a thrown value, without credentials, on one line. */
export function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  const isText = error === null || !['object', 'function'].includes(typeof error);
  const text = typeof message === 'string' ? message : isText ? String(error) : 'no message';
  return redact(text.split('\n', 1)[0] ?? '');
}

/**
 * The stack of an error. `Error.prepareStackTrace` of the program makes it: it can be anything, often a
 * list of call sites, and making it can throw.
 *
 * @returns undefined when it is no text
 */
export function stackOf(error: Error): string | undefined {
  try {
    const stack: unknown = error.stack;
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}

/** What an error of the file system says about a store, and what helps. */
const MEANINGS: Record<string, [reason: string, hint: string]> = {
  ENOSPC: ['no space is left on its volume', 'make room on its volume'],
  EDQUOT: ['the quota of its user is used up', 'make room, or have the quota raised'],
  EROFS: [
    'its volume is mounted read-only',
    'mount it writable, or set ANNEX_STORE to a directory that is',
  ],
  EIO: ['the disk below it reports an error', "look at that volume and the kernel's log"],
  EMFILE: ['too many files are open', 'raise the limit on open files (ulimit -n)'],
  ENFILE: ['too many files are open', "raise the machine's limit on open files (fs.file-max)"],
  EXDEV: [
    'its directories are on different file systems',
    'mount one volume for the whole store, and nothing inside of it',
  ],
  EFBIG: ['a file is larger than files may be', 'raise the limit on their size (ulimit -f)'],
};

/** For EACCES and all others. */
const UNWRITABLE =
  'make it a directory that the user of this process may write, or set ANNEX_STORE to one';

/**
 * What a failed file-system call on a store means.
 *
 * @param path the store, for the text
 */
export function refuseByFileError(error: unknown, path: string): Refusal {
  const errno = codeOf(error);
  const { syscall, path: at, dest } = (error ?? {}) as NodeJS.ErrnoException & { dest?: string };
  const call = [errno, syscall, at, dest].filter((part) => part !== undefined).join(' ');
  const [meaning, hint] = MEANINGS[errno ?? ''] ?? [undefined, UNWRITABLE];
  const why = errno === undefined ? messageOf(error) : call;
  return {
    code: errno === 'ENOSPC' || errno === 'EDQUOT' ? 'ANNEX_NO_SPACE' : 'ANNEX_STORE_UNUSABLE',
    reason: `${path} cannot be used: ${meaning === undefined ? why : `${meaning} (${why})`}`,
    hint,
  };
}

/**
 * What an error means of a look-up in a store: it is not known what the store holds. Nothing is
 * installed for it, and nobody remembers it, so that the next look-up decides.
 *
 * @param path what was to be read, for the text
 */
export const refuseUnread = (error: unknown, path: string): Refusal => ({
  ...refuseByFileError(error, path),
  isUnread: true,
});

/** An entry that is damaged, and why no sound one takes its place. */
export const refuseDamage = (
  { dir, damage }: { dir: string; damage: string },
  refusal: Refusal,
): Refusal => ({
  ...refusal,
  code: 'ANNEX_INTEGRITY',
  reason: `${dir} is damaged: ${damage}; it is not replaced: ${refusal.reason}`,
});

/**
 * Appends one line to the message of Node's own error and gives it a cause. The same object goes
 * on, so its code, url and requireStack stay what they were.
 */
export function explain(error: unknown, cause: AnnexError): unknown {
  if (!(error instanceof Error) || error.cause !== undefined) return error;
  const before: unknown = error.message;
  const stack = stackOf(error);
  // Defined, not assigned: an error from another thread has a stack that is read-only. A cause is as
  // hidden as one given to the constructor, so that whoever lists the keys sees Node's own.
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
