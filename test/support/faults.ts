/** Faults, and the system calls of an install on the store that they are injected into. */
import type { Call } from './strace.ts';

/** A fault of a system call: the process ends before it, or it fails, once or from then on. */
export type Fault = 'SIGKILL' | `${Errno}` | `${Errno} for good`;

/** A system call of an installer, identified in every run by its name and position in its thread. */
export interface Point {
  name: string;
  ordinal: number;
  kind: Kind;
}

/** A point and its fault. */
export interface Strike {
  point: Point;
  fault: Fault;
}

/** Kinds of calls, each with the errors that a file system can return. */
const KINDS = {
  rename: {
    names: ['rename', 'renameat', 'renameat2'],
    errors: ['EIO', 'ENOSPC', 'EDQUOT', 'EXDEV', 'EROFS', 'EACCES'],
  },
  'open to write': {
    names: ['open', 'openat'],
    errors: ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EROFS', 'EACCES'],
  },
  write: { names: ['write', 'writev', 'pwrite64'], errors: ['EIO', 'ENOSPC', 'EDQUOT', 'EFBIG'] },
  sync: { names: ['fsync', 'fdatasync', 'syncfs'], errors: ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS'] },
  mkdir: {
    names: ['mkdir', 'mkdirat'],
    errors: ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'],
  },
  remove: { names: ['unlink', 'unlinkat', 'rmdir'], errors: ['EIO', 'EROFS', 'EACCES'] },
  link: { names: ['link', 'linkat', 'symlink', 'symlinkat'], errors: ['EIO', 'EXDEV', 'EROFS'] },
  mode: { names: ['chmod', 'fchmod', 'fchmodat', 'utimensat'], errors: ['EIO', 'EROFS', 'EPERM'] },
  'open to read': { names: [], errors: ['EIO', 'EMFILE', 'EACCES'] },
  list: { names: ['getdents64'], errors: ['EIO', 'EACCES'] },
  look: {
    names: ['stat', 'lstat', 'statx', 'newfstatat', 'readlink', 'access', 'faccessat2'],
    errors: ['EIO', 'EACCES'],
  },
} as const;

export type Kind = keyof typeof KINDS;
type Errno = (typeof KINDS)[Kind]['errors'][number];

/** These do not change the disk: a kill there proves nothing. */
export const READING: readonly Kind[] = ['open to read', 'list', 'look'];
/** Errors that persist until an operator acts; not for writes, which also report the result. */
const LASTING: readonly Errno[] = ['EIO', 'ENOSPC', 'EROFS'];

/** All names of system calls for strace, which ignores those that the machine lacks. */
export const CALLS: string = Object.values(KINDS)
  .flatMap(({ names }) => names.map((name) => `?${name}`))
  .join();

/** The kind of a call; undefined for an irrelevant one. */
export function kindOf({ name, isWriting }: Call): Kind | undefined {
  const found = (Object.keys(KINDS) as Kind[]).find((kind) =>
    (KINDS[kind].names as readonly string[]).includes(name),
  );
  return found === 'open to write' && !isWriting ? 'open to read' : found;
}

/** The points of a trace without faults, in the order of their time. */
export function listPoints(calls: Call[], store: string): Point[] {
  const seen = new Set<string>();
  return calls.flatMap((call) => {
    const { name, ordinal } = call;
    const kind = kindOf(call);
    // strace counts per thread: the first thread to reach the number gets the fault.
    const isHidden = seen.has(`${name} ${ordinal}`);
    seen.add(`${name} ${ordinal}`);
    return kind === undefined || isHidden || shapeOf(call, store) === ''
      ? []
      : [{ name, ordinal, kind }];
  });
}

/** Path of a call without the parts that differ between runs; empty when it is outside the store. */
export function shapeOf({ paths }: Pick<Call, 'paths'>, store: string): string {
  const own = paths.filter((path) => path === store || path.startsWith(`${store}/`));
  return own
    .map((path) => path.slice(store.length))
    .map((path) => path.replace(/[0-9a-f]{12}\.\d+\.\d+\.[0-9a-f]{12}\.[\w.-]*/g, 'OWNER'))
    .map((path) => path.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID'))
    .map((path) => path.replace(/[0-9a-f]{32}/g, 'ID').replace(/\d{3,}/g, 'N') || '/')
    .join(' -> ');
}

/** A kill at every point that changes the disk. */
export const listKills = (points: Point[]): Strike[] =>
  points
    .filter(({ kind }) => !READING.includes(kind))
    .map((point) => ({ point, fault: 'SIGKILL' }));

/** Every error at every point. */
export const listErrors = (points: Point[]): Strike[] =>
  points.flatMap((point) => {
    const errors: readonly Errno[] = KINDS[point.kind].errors;
    const isOnce = READING.includes(point.kind) || point.kind === 'write';
    const lasting = isOnce ? [] : LASTING.filter((errno) => errors.includes(errno));
    const faults: Fault[] = [...errors, ...lasting.map((errno) => `${errno} for good` as const)];
    return faults.map((fault) => ({ point, fault }));
  });

/** At most `most` items of a list, evenly spaced. */
export function sample<T>(list: readonly T[], most: number): T[] {
  const step = Math.max(1, list.length / most);
  return Array.from({ length: Math.min(most, list.length) }, (_, index) => {
    return list[Math.floor(index * step)] as T;
  });
}

/** The fault as an argument of strace. */
export function toInjection({ point: { name, ordinal }, fault }: Strike): string {
  const [what, isLasting] = fault.split(' ', 2);
  const how = what === 'SIGKILL' ? 'signal=SIGKILL' : `error=${what}`;
  return `inject=${name}:${how}:when=${ordinal}${isLasting === undefined ? '' : '+'}`;
}
