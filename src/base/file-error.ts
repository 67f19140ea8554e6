/** Refusals for errors of the file system, and for damaged entries. */
import type { Refusal } from '../types.ts';
import { codeOf, messageOf } from './thrown.ts';

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
