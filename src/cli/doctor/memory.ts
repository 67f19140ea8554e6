/** The check of `annex doctor` of processes that the kernel killed for want of memory, from their control group. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Finding, warning } from '../shared/findings.ts';
import { formatSize } from '../shared/format.ts';

/** Where the files of a version of control groups are below their root. */
interface Version {
  /** Controller in /proc/PID/cgroup. */
  controller: string;
  dir: string;
  /** Has `oom_kill NUMBER`. */
  events: string;
  limit: string;
}

const VERSIONS: Version[] = [
  { controller: '', dir: '.', events: 'memory.events', limit: 'memory.max' },
  {
    controller: 'memory',
    dir: 'memory',
    events: 'memory.oom_control',
    limit: 'memory.limit_in_bytes',
  },
];

/** The largest limit that counts as one, bytes: without a limit, version 1 has a number near 2 ** 63. */
const MAX_LIMIT = 2 ** 60;

/**
 * Whether processes of this container or service were killed for want of memory. An application that is started
 * again says nothing of it. Empty where the system does not tell.
 *
 * @param root where control groups are mounted
 * @param own the text of /proc/self/cgroup
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html `memory.events`
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/memory.html `memory.oom_control`
 */
export function checkMemory(
  root = '/sys/fs/cgroup',
  own = readOr('/proc/self/cgroup') ?? '',
): Finding[] {
  for (const { controller, dir, events, limit } of VERSIONS) {
    const path = findPath(own, controller);
    // A container can see its own group as the root, and still have the path of the host.
    for (const group of path === undefined ? [] : [join(root, dir, path), join(root, dir)]) {
      const [, killed] = /^oom_kill (\d+)$/m.exec(readOr(join(group, events)) ?? '') ?? [];
      if (killed === undefined) continue;
      return Number(killed) === 0 ? [] : [warn(Number(killed), readLimit(join(group, limit)))];
    }
  }
  return [];
}

function warn(killed: number, limit: number | undefined): Finding {
  const what = killed === 1 ? '1 process' : `${killed} processes`;
  const verb = killed === 1 ? 'was' : 'were';
  const bound =
    limit === undefined ? 'it has no limit of its own' : `its limit is ${formatSize(limit)}`;
  const text = `${what} of this container or service ${verb} killed for want of memory; ${bound}`;
  return warning(
    'memory.killed',
    text,
    'raise the memory limit, or install while the image is built: annex bake',
  );
}

/** The group of a controller; it cannot lead out of the root. */
function findPath(own: string, controller: string): string | undefined {
  for (const line of own.split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path !== '' && controllers.split(',').includes(controller)) return resolve('/', path);
  }
  return undefined;
}

function readLimit(path: string): number | undefined {
  const limit = Number.parseInt(readOr(path) ?? '', 10);
  return limit < MAX_LIMIT ? limit : undefined;
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
