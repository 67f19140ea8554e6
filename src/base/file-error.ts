/** Refusals for errors of the file system, and for damaged entries. */
import { dirname } from 'node:path';
import type { Refusal } from '../types.ts';
import { codeOf, messageOf } from './thrown.ts';

/** For EACCES and codes without an explanation. */
const UNWRITABLE =
  'make the store a directory that the user of this process can write, or set ANNEX_STORE to one';

/** The remedy for a dead mount: mount it again, and restart containers, which keep the mount of their start. */
const REMOUNT = 'mount that volume again, and restart the containers that use it';

const UNANSWERED: [reason: string, hint: string] = [
  'its file server does not respond',
  'check that server, and the network between',
];

/** Reason and hint for an error of the file system, by its code. */
const EXPLANATIONS: Record<string, [reason: string, hint: string]> = {
  ENOSPC: [
    'no space is left on its volume',
    'free space on its volume, or enlarge it: in a store, annex store df says what annex prune frees',
  ],
  EDQUOT: ['the quota of its user is used up', 'free space, or raise the quota'],
  EROFS: [
    'its volume is mounted read-only',
    'mount a writable volume there, or set ANNEX_STORE to a writable directory',
  ],
  EACCES: ['permission is denied', UNWRITABLE],
  EPERM: ['the operation is not permitted', UNWRITABLE],
  EIO: ['its disk reports an error', "check that volume and the kernel's log"],
  EMFILE: ['too many files are open', 'raise the limit on open files (ulimit -n)'],
  ENFILE: ['too many files are open', "raise the machine's limit on open files (fs.file-max)"],
  EXDEV: [
    'its directories are on different file systems',
    'mount one volume for the whole store, and nothing inside it',
  ],
  ENOTCONN: ['the program or the server behind its mount is gone', REMOUNT],
  ECONNABORTED: ['its mount was aborted', REMOUNT],
  ESTALE: ['its file server no longer has it', REMOUNT],
  ETIMEDOUT: UNANSWERED,
  EHOSTDOWN: UNANSWERED,
  EHOSTUNREACH: UNANSWERED,
  EFBIG: ['a file exceeds the size limit', 'raise the limit on file size (ulimit -f)'],
};

/** What file systems over an object store answer to the rename of a directory. gcsfuse has a limit of files for it. */
const NO_RENAME = ['ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EMFILE'];

/** An entry appears with one rename. Without it nothing can be installed, and what is there can be used. */
const AS_LAYER = 'use it as a layer, behind a store on another volume: ANNEX_STORE=STORE:LAYER';
const UNMOVABLE: [reason: string, hint: string] = [
  'its file system cannot rename a directory',
  AS_LAYER,
];

/**
 * The refusal for a file system on which a rename is not what an install needs.
 *
 * @param path the store, for the message
 * @param why what its file system does: one clause
 */
export const refuseRename = (path: string, why: string): Refusal => ({
  code: 'ANNEX_STORE_UNUSABLE',
  reason: `${path} cannot be used: its file system ${why}`,
  hint: AS_LAYER,
});

/**
 * The refusal for a failed file-system call on a store.
 *
 * @param path the store, for the message
 */
export function refuseByFileError(error: unknown, path: string): Refusal {
  const errno = codeOf(error);
  const { syscall, path: at, dest } = (error ?? {}) as NodeJS.ErrnoException & { dest?: string };
  const call = [errno, syscall, at, dest].filter((part) => part !== undefined).join(' ');
  // In one directory, EXDEV does not mean two file systems.
  const isOneDirectory = at !== undefined && dest !== undefined && dirname(at) === dirname(dest);
  const isUnmovable =
    syscall === 'rename' &&
    (NO_RENAME.includes(errno ?? '') || (errno === 'EXDEV' && isOneDirectory));
  const known = isUnmovable ? UNMOVABLE : EXPLANATIONS[errno ?? ''];
  const [meaning, hint] = known ?? [undefined, UNWRITABLE];
  const why = errno === undefined ? messageOf(error) : call;
  return {
    code: errno === 'ENOSPC' || errno === 'EDQUOT' ? 'ANNEX_NO_SPACE' : 'ANNEX_STORE_UNUSABLE',
    reason: `${path} cannot be used: ${meaning === undefined ? why : `${meaning} (${why})`}`,
    hint,
  };
}

/**
 * The refusal for a lookup in a store that could not be read. It starts no install and is not remembered:
 * the next lookup decides.
 *
 * @param path the path that could not be read, for the message
 */
export const refuseUnread = (error: unknown, path: string): Refusal => ({
  ...refuseByFileError(error, path),
  isUnread: true,
});

/** The refusal for a damaged entry, with the reason why no sound one replaces it. */
export const refuseDamage = (
  { dir, damage }: { dir: string; damage: string },
  refusal: Refusal,
): Refusal => ({
  ...refusal,
  code: 'ANNEX_INTEGRITY',
  reason: `${dir} is damaged: ${damage}; it is not replaced: ${refusal.reason}`,
});
