/** Names the process that makes something in a store, and checks whether that process still runs. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { digest } from '../base/digest.ts';

/** Whether a process runs; unknown when it runs in another container or on another host. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** This process, as other processes can identify it. */
interface Self {
  /** Identifies where process ids have the same meaning: 12 hex digits, or `NO_PLACE`. */
  place: string;
  /** Start time in the ticks of /proc. */
  start: string;
}

/** The place of a process that has no usable /proc: it cannot be identified. */
const NO_PLACE = '0'.repeat(12);

/** Random part, pid, start time, place, host. */
const OWNER = '[0-9a-f]{12}\\.(\\d{1,10})\\.(\\d{1,20})\\.([0-9a-f]{12})\\.([\\w.-]{0,63})';
const IS_OWNER = new RegExp(`^${OWNER}$`);
const IS_OWNED = new RegExp(`^(?<base>.+?)\\.(?<owner>${OWNER})$`);

let self: Self | undefined;

/**
 * Returns a new name for something that this process makes. The owner is part of the name, so it appears
 * together with the thing and is never half written.
 *
 * @example nameOwner() // '5f0c2a9b7d31.4711.183360.9a8b7c6d5e4f.web-1'
 */
export function nameOwner(): string {
  self ??= identifySelf();
  const host = hostname()
    .replace(/[^\w.-]/g, '-')
    .slice(0, 63);
  return [randomBytes(6).toString('hex'), process.pid, self.start, self.place, host].join('.');
}

/** Splits `BASE.OWNER`; returns undefined for any other name. */
export function parseOwned(name: string): { base: string; owner: string } | undefined {
  const { base, owner } = IS_OWNED.exec(name)?.groups ?? {};
  return base === undefined || owner === undefined ? undefined : { base, owner };
}

/** `process 4711 on web-1`, for a message. */
export function describeOwner(owner: string | undefined): string {
  const [, pid, , , host] = IS_OWNER.exec(owner ?? '') ?? [];
  if (pid === undefined) return 'another process';
  return host === '' ? `process ${pid}` : `process ${pid} on ${host}`;
}

/**
 * Whether an owner still runs. A process id is reused and every container has its own ids, so it is compared
 * only within one boot and one pid namespace, together with the start time (proc_pid_stat(5), field 22).
 * The start time depends on the reader's time namespace (time_namespaces(7)).
 */
export function checkOwner(owner: string): Liveness {
  self ??= identifySelf();
  const [, pid = '', start, place = NO_PLACE] = IS_OWNER.exec(owner) ?? [];
  if (place === NO_PLACE || place !== self.place) return 'unknown';
  const found = readStat(pid);
  if (found === undefined) return isGone(Number(pid)) ? 'dead' : 'unknown';
  // Z and X: the process has ended, and its parent has not waited for it, which may never happen in a container.
  return found.start === start && !/[ZXx]/.test(found.state) ? 'alive' : 'dead';
}

/**
 * Whether the holder of a feature's lock may remove what an owner made.
 *
 * @param isOurs whether it was made for that feature: then its owner has lost the lock
 */
export function isAbandoned(owner: string, isOurs: boolean): boolean {
  const liveness = checkOwner(owner);
  return liveness === 'dead' || (liveness === 'unknown' && isOurs);
}

/** With hidepid, /proc hides the processes of other users. Signal 0 only checks that a process exists. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function identifySelf(): Self {
  const stat = readStat('self');
  try {
    // In a /proc of another pid namespace `self` has another id.
    if (stat?.pid === String(process.pid)) {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const facts = [boot, readlinkSync('/proc/self/ns/pid'), readTimeNamespace()].join(' ');
      return { place: digest(facts).slice(0, 12), start: stat.start };
    }
  } catch {
    // A sandbox hides these files.
  }
  return { place: NO_PLACE, start: '0' };
}

/** Linux before 5.6 has no time namespaces. */
function readTimeNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/time');
  } catch {
    return '';
  }
}

/** Reads /proc/PID/stat; returns undefined when it cannot be read. */
function readStat(pid: string): { pid: string; state: string; start: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may contain any character.
    const [state = '', ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid: text.slice(0, text.indexOf(' ')), state, start: rest[18] ?? '' };
  } catch {
    return undefined;
  }
}
