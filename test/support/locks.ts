/** Locks in a directory of their own, and owners of every kind. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Held, type LockTimes, type Wait, withLock } from '../../src/store/lock.ts';
import { nameOwner } from '../../src/store/owner.ts';
import { removeTree } from './tree.ts';

/** For a test that waits. */
export const times: LockTimes = { beat: 20, stale: 400, poll: 5, quiet: 10_000 };

/** For a test that must not be passed by waiting, ms. */
export const HOUR = 3_600_000;

/** Waits for ever. */
export const patient: Wait = {
  isDone: () => false,
  limit: HOUR,
  signal: new AbortController().signal,
  isPatient: false,
  onWait: () => {},
  onLimit: (holder) => new Error(`${holder} holds it`),
};

/** Where a lock goes: a directory that is not there yet. */
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

/** What stands beside and in place of a lock. */
export const list = (path: string): string[] =>
  readdirSync(join(path, '..'), { recursive: true }).map(String).sort();

/** A lock as a holder leaves it who was killed. */
export function leave(path: string, owner: string | undefined): void {
  mkdirSync(path, { recursive: true });
  if (owner !== undefined) writeFileSync(join(path, owner), '');
}

/** What differs from the patient wait, the times of a test, and a run of no length. */
export interface HoldOptions extends Partial<Wait>, Partial<LockTimes> {
  run?: (held: Held) => Promise<unknown>;
}

/** Takes the lock, by default for a moment. */
export function hold(path: string, { run = async () => 'held', ...rest }: HoldOptions = {}) {
  mkdirSync(dirname(path), { recursive: true });
  return withLock(placeOf(path), run, { ...patient, ...rest }, { ...times, ...rest });
}

/** Parts of an owner's name. */
export interface OwnerParts {
  pid: string;
  start: string;
  place: string;
  host: string;
}

/** The name of an owner that is this process, but for what is given. */
export function makeOwner(other: Partial<OwnerParts> = {}): string {
  const [random, pid, start, place, ...host] = nameOwner().split('.');
  const parts = { pid, start, place, host: host.join('.'), ...other };
  return [random, parts.pid, parts.start, parts.place, parts.host].join('.');
}

/** The id of a process that has just ended. */
export const endOne = (): string => String(spawnSync(process.execPath, ['--version']).pid);
