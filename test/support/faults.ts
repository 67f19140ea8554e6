/** Which faults there are, and at which system calls: the calls of an install that concern the store. */
import type { Call } from './strace.ts';

/** What is done to a system call: the process ends before it, or it fails, once or from then on. */
export type Fault = 'SIGKILL' | `${Errno}` | `${Errno} for good`;

/** A system call of an installer that can be hit again: by its name and its place in its thread. */
export interface Point {
  name: string;
  ordinal: number;
  kind: Kind;
}

/** A point and what is done there. */
export interface Strike {
  point: Point;
  fault: Fault;
}

/** Calls by what they do; each with the errors that a file system answers to it. */
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

/** Nothing is different on the disk before and after these: there is no use in ending a process there. */
export const READING: readonly Kind[] = ['open to read', 'list', 'look'];
/** What stays as it is until somebody does something about it; writes are also how a result is told. */
const LASTING: readonly Errno[] = ['EIO', 'ENOSPC', 'EROFS'];

/** All names of system calls, for strace; it is told to pass over those that a machine does not have. */
export const CALLS: string = Object.values(KINDS)
  .flatMap(({ names }) => names.map((name) => `?${name}`))
  .join();

/** What a call does; undefined for one that is not looked at. */
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
    // strace counts in each thread anew: the first that gets so far is hit.
    const isHidden = seen.has(`${name} ${ordinal}`);
    seen.add(`${name} ${ordinal}`);
    return kind === undefined || isHidden || shapeOf(call, store) === ''
      ? []
      : [{ name, ordinal, kind }];
  });
}

/** Where a call is, without what is another one in each run; nothing when it is not in the store. */
export function shapeOf({ paths }: Pick<Call, 'paths'>, store: string): string {
  const own = paths.filter((path) => path === store || path.startsWith(`${store}/`));
  return own
    .map((path) => path.slice(store.length))
    .map((path) => path.replace(/[0-9a-f]{12}\.\d+\.\d+\.[0-9a-f]{12}\.[\w.-]*/g, 'OWNER'))
    .map((path) => path.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID'))
    .map((path) => path.replace(/[0-9a-f]{32}/g, 'ID').replace(/\d{3,}/g, 'N') || '/')
    .join(' -> ');
}

/** Every end that a process can be brought to at one of these points. */
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

/** Some of a list, evenly; all of it when it is no longer than that. */
export function sample<T>(list: readonly T[], most: number): T[] {
  const step = Math.max(1, list.length / most);
  return Array.from({ length: Math.min(most, list.length) }, (_, index) => {
    return list[Math.floor(index * step)] as T;
  });
}

/** How strace is told of it. */
export function toInjection({ point: { name, ordinal }, fault }: Strike): string {
  const [what, isLasting] = fault.split(' ', 2);
  const how = what === 'SIGKILL' ? 'signal=SIGKILL' : `error=${what}`;
  return `inject=${name}:${how}:when=${ordinal}${isLasting === undefined ? '' : '+'}`;
}
