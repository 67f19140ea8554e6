/** Locks in a temporary directory, and owners of every kind. */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type Clock,
  type HeldLock,
  type LockTimes,
  type Wait,
  withLock,
} from '../../src/store/lock.ts';
import { nameOwner } from '../../src/store/owner.ts';
import { createClock } from './clock.ts';
import { removeTree } from './tree.ts';

/** Clock of all locks of a test. */
export const clock: Clock = createClock();

/** On that clock. */
export const times: LockTimes = { heartbeat: 20, stale: 400, poll: 5, quiet: 10_000 };

/** Longer than any wait that a test expects, in ms. */
export const HOUR = 3_600_000;

/** Waits without a limit. */
const patient: Wait = {
  isDone: () => false,
  limit: HOUR,
  signal: new AbortController().signal,
  isPatient: false,
  onWait: () => {},
  onLimit: (holder) => new Error(`${holder} holds it`),
};

/** Path of a lock in a directory that does not exist yet. */
export function makePath(): string {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-lock-'));
  onTestFinished(() => removeTree(root));
  return join(root, 'locks', 'alpha.lock');
}

/** The parts of that path. */
export const placeOf = (path: string) => ({
  store: dirname(dirname(path)),
  dirs: [basename(dirname(path))],
  name: basename(path),
});

/** Everything in the directory of a lock. */
export const list = (path: string): string[] =>
  readdirSync(join(path, '..'), { recursive: true }).map(String).sort();

/** Makes a lock as a killed holder leaves it. */
export function leave(path: string, owner: string | undefined): void {
  mkdirSync(path, { recursive: true });
  if (owner !== undefined) writeFileSync(join(path, owner), '');
}

/** Overrides of the unlimited wait, the times of a test, and a function that returns at once. */
export interface HoldOptions extends Partial<Wait>, Partial<LockTimes> {
  run?: (held: HeldLock) => Promise<unknown>;
  clock?: Clock;
}

/** Takes the lock, and by default releases it at once. */
export function hold(path: string, { run = async () => 'held', ...rest }: HoldOptions = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const timing = { clock, ...rest, times: { ...times, ...rest } };
  return withLock(placeOf(path), run, { ...patient, ...rest }, timing);
}

/** Sends heartbeats for an owner until the test ends. */
export function keepHeartbeat(file: string): void {
  let count = 0;
  const heartbeat = (): void => utimesSync(file, ++count, count);
  onTestFinished(clock.repeat(times.heartbeat, heartbeat));
}

/** Parts of an owner's name. */
export interface OwnerParts {
  pid: string;
  start: string;
  place: string;
  host: string;
}

/** The name of this process as an owner, with overridden parts. */
export function makeOwner(other: Partial<OwnerParts> = {}): string {
  const [random, pid, start, place, ...host] = nameOwner().split('.');
  const parts = { pid, start, place, host: host.join('.'), ...other };
  return [random, parts.pid, parts.start, parts.place, parts.host].join('.');
}

/** The id of a process that has just ended. */
export const endOne = (): string => String(spawnSync(process.execPath, ['--version']).pid);
