/** Who made something in a store: said by its name, and whether that process still lives. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { digest } from '../base/digest.ts';

/** Whether a process lives; unknown when it runs in another container or on another host. */
export type Life = 'alive' | 'dead' | 'unknown';

/** Where process ids mean the same, and when this process started there. */
interface Self {
  /** 12 hex digits; `NOWHERE` where there is no /proc of our own. */
  place: string;
  /** In the ticks of /proc. */
  start: string;
}

const NOWHERE = '0'.repeat(12);

/** A random part, pid, start time, place, host. */
const OWNER = '[0-9a-f]{12}\\.(\\d{1,10})\\.(\\d{1,20})\\.([0-9a-f]{12})\\.([\\w.-]{0,63})';
const WHOLE = new RegExp(`^${OWNER}$`);
const OWNED = new RegExp(`^(?<base>.+?)\\.(?<owner>${OWNER})$`);

let self: Self | undefined;

/**
 * A name for something that this process makes, another one each time. A name is there as soon as
 * the thing is, and is never half written.
 *
 * @example nameOwner() // '5f0c2a9b7d31.4711.183360.9a8b7c6d5e4f.web-1'
 */
export function nameOwner(): string {
  const { place, start } = findSelf();
  const host = hostname()
    .replace(/[^\w.-]/g, '-')
    .slice(0, 63);
  return [randomBytes(6).toString('hex'), process.pid, start, place, host].join('.');
}

/** Takes `BASE.OWNER` apart; undefined for any other name. */
export function splitOwned(name: string): { base: string; owner: string } | undefined {
  const { base, owner } = OWNED.exec(name)?.groups ?? {};
  return base === undefined || owner === undefined ? undefined : { base, owner };
}

/** `process 4711 on web-1`, for a message. */
export function describeOwner(owner: string | undefined): string {
  const [, pid, , , host] = WHOLE.exec(owner ?? '') ?? [];
  if (pid === undefined) return 'another process';
  return host === '' ? `process ${pid}` : `process ${pid} on ${host}`;
}

/**
 * Whether an owner lives. A process id alone says nothing: it is given out again, and every
 * container has its own. It counts in the same pid namespace since the same boot, together with the
 * time at which the process started (proc_pid_stat(5), field 22), which is told by the reader's own
 * time namespace (time_namespaces(7)).
 */
export function judgeOwner(owner: string): Life {
  const [, pid = '', start, place = NOWHERE] = WHOLE.exec(owner) ?? [];
  if (place === NOWHERE || place !== findSelf().place) return 'unknown';
  const found = readStat(pid);
  if (found === undefined) return isGone(Number(pid)) ? 'dead' : 'unknown';
  // Z and X: it has ended, and its parent has not asked how.
  return found.start === start && !/[ZXx]/.test(found.state) ? 'alive' : 'dead';
}

/**
 * Whether what an owner made is to be swept by whoever holds the lock of a feature.
 *
 * @param isOurs whether it was made for that feature: then its owner has lost the lock
 */
export function isDebris(owner: string, isOurs: boolean): boolean {
  const life = judgeOwner(owner);
  return life === 'dead' || (life === 'unknown' && isOurs);
}

/** /proc may hide the processes of other users (hidepid); no signal is ever sent. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function findSelf(): Self {
  self ??= lookAtSelf();
  return self;
}

function lookAtSelf(): Self {
  const stat = readStat('self');
  // A /proc of another pid namespace tells of others.
  if (stat === undefined || stat.pid !== String(process.pid)) return { place: NOWHERE, start: '0' };
  try {
    const parts = [
      readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      readlinkSync('/proc/self/ns/pid'),
      findTimeNamespace(),
    ];
    const place = digest(parts.join(' ')).slice(0, 12);
    return { place, start: stat.start };
  } catch {
    return { place: NOWHERE, start: '0' };
  }
}

/** Linux before 5.6 has one for all. */
function findTimeNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/time');
  } catch {
    return '';
  }
}

/** What /proc says of a process; undefined when it says nothing. */
function readStat(pid: string): { pid: string; state: string; start: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name may hold anything.
    const [state = '', ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid: text.slice(0, text.indexOf(' ')), state, start: rest[18] ?? '' };
  } catch {
    return undefined;
  }
}
