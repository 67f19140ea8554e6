/** A waiter takes over the lock of a dead holder at once, of a silent one after a while, of a stuck one at the limit. */
import crypto from 'node:crypto';
import { readdirSync, renameSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ignoreErrors } from '../../../src/store/directory.ts';
import { nameOwner } from '../../../src/store/owner.ts';
import {
  clock,
  endOne,
  HOUR,
  hold,
  keepHeartbeat,
  leave,
  list,
  makeOwner,
  makePath,
  times,
} from '../../support/locks.ts';
import { removeTree } from '../../support/tree.ts';

const uuid = '0b6f1c1e-6f0a-4d6e-9d0c-0a1b2c3d4e5f';
const elsewhere = (): string => makeOwner({ place: 'abcdef012345', host: 'web-2' });
const dead = (): string => makeOwner({ start: '1' });

describe.runIf(process.platform === 'linux')('on this host', () => {
  test.each([
    ['has ended', () => makeOwner({ pid: endOne() })],
    ['had the process id of a living process', dead],
  ])('the lock of a holder that %s is taken without waiting', async (_, make) => {
    const path = makePath();
    leave(path, make());
    expect(await hold(path, { stale: HOUR, quiet: 0, onWait: fail })).toBe('held');
    expect(list(path)).toEqual([]);
  });

  test('a last heartbeat in the future keeps no lock of a dead holder', async () => {
    const path = makePath();
    const owner = dead();
    leave(path, owner);
    utimesSync(join(path, owner), 4_102_444_800, 4_102_444_800);
    expect(await hold(path, { stale: HOUR, quiet: 0, onWait: fail })).toBe('held');
  });

  test('a live holder that is stuck loses its lock at the limit, not before', async () => {
    const path = makePath();
    const owner = nameOwner();
    leave(path, owner);
    const said: string[] = [];
    const onWait = (holder: string) => {
      const [lock, waiter, file] = list(path);
      expect([lock, file]).toEqual(['alpha.lock', `alpha.lock/${owner}`]);
      expect(waiter).toMatch(/^alpha\.lock\.[0-9a-f]{12}\./);
      said.push(holder);
    };
    const start = clock.now();
    const waiter = hold(path, { stale: 50, quiet: 300, limit: 600, onWait });
    expect(await waiter).toBe('held');
    expect(clock.now() - start).toBe(600);
    expect(said).toEqual([`process ${process.pid} on ${hostname()}`]);
  });

  test('a holder with a heartbeat keeps its lock; the waiter fails and names it', async () => {
    const path = makePath();
    const owner = nameOwner();
    leave(path, owner);
    keepHeartbeat(join(path, owner));
    const waiter = hold(path, { limit: 2 * times.stale });
    await expect(waiter).rejects.toThrow(`process ${process.pid} on ${hostname()} holds it`);
    expect(list(path)).toEqual(['alpha.lock', `alpha.lock/${owner}`]);
  });

  test('a new holder removes the locks of dead processes, of any feature, and no others', async () => {
    const path = makePath();
    const root = join(path, '..');
    const [living, unknown] = [nameOwner(), elsewhere()];
    leave(join(root, 'beta.lock'), dead());
    leave(join(root, 'gamma.lock'), undefined);
    leave(join(root, 'delta.lock'), living);
    leave(join(root, 'epsilon.lock'), unknown);
    leave(join(root, `beta.lock.${dead()}`), undefined);
    leave(join(root, `beta.lock.${living}`), living);
    leave(join(root, `alpha.lock.${living}`), undefined);
    leave(join(root, `beta.lock.${unknown}`), unknown);
    leave(join(root, `alpha.lock.${unknown}`), unknown);
    await hold(path);
    expect(readdirSync(root).sort()).toEqual(
      [
        `alpha.lock.${living}`,
        `beta.lock.${living}`,
        `beta.lock.${unknown}`,
        'delta.lock',
        'epsilon.lock',
      ].sort(),
    );
    expect(readdirSync(join(root, 'delta.lock'))).toEqual([living]);
  });
});

describe('on another host', () => {
  test('a silent holder is waited for, and named', async () => {
    const path = makePath();
    leave(path, elsewhere());
    const said: string[] = [];
    const start = clock.now();
    const onWait = (holder: string) => said.push(holder);
    expect(await hold(path, { quiet: times.stale / 2, onWait })).toBe('held');
    expect(clock.now() - start).toBe(times.stale);
    expect(said).toEqual([`process ${process.pid} on web-2`]);
  });

  test('a holder with a heartbeat keeps its lock, however short the limit', async () => {
    const path = makePath();
    const owner = elsewhere();
    leave(path, owner);
    keepHeartbeat(join(path, owner));
    for (const limit of [200, 3 * times.stale]) {
      await expect(hold(path, { limit })).rejects.toThrow(/ on web-2 holds it/);
    }
    expect(list(path)).toEqual(['alpha.lock', `alpha.lock/${owner}`]);
  });

  test('under a shorter limit, a silent holder loses its lock at the limit', async () => {
    const path = makePath();
    leave(path, elsewhere());
    const start = clock.now();
    expect(await hold(path, { stale: HOUR, limit: 200 })).toBe('held');
    expect(clock.now() - start).toBe(200);
  });

  test('a waiter that lost its own lock waits for a silent holder until the limit', async () => {
    const path = makePath();
    leave(path, elsewhere());
    const start = clock.now();
    expect(await hold(path, { isPatient: true, stale: 50, limit: 500 })).toBe('held');
    expect(clock.now() - start).toBe(500);
  });

  test.each([
    ['of another format', uuid],
    ['cut off', elsewhere().slice(0, 30)],
  ])('a holder with a name %s is treated alike', async (_, owner) => {
    const path = makePath();
    leave(path, owner);
    const start = clock.now();
    expect(await hold(path)).toBe('held');
    expect(clock.now() - start).toBe(times.stale);
  });
});

describe('killed between two steps', () => {
  test('an empty lock directory is free', async () => {
    const path = makePath();
    leave(path, undefined);
    const start = clock.now();
    expect(await hold(path)).toBe('held');
    expect(clock.now() - start).toBe(0);
    expect(list(path)).toEqual([]);
  });

  test.each([
    ['before its file', undefined],
    ['before the rename', uuid],
  ])('an unfinished lock, left %s, is removed by the next holder', async (_, file) => {
    const path = makePath();
    leave(`${path}.${elsewhere()}`, file);
    leave(`${path}.other.lock`, 'somebody');
    expect(await hold(path)).toBe('held');
    expect(readdirSync(join(path, '..'))).toEqual(['alpha.lock.other.lock']);
  });

  test('a waiter whose directory is being swept cannot make it its lock', async () => {
    const path = makePath();
    const owner = elsewhere();
    const isTaken: boolean[] = [];
    const { randomUUID } = crypto;
    // Called while the directory is open, and nothing in it is removed yet.
    vi.spyOn(crypto, 'randomUUID').mockImplementation(() => {
      isTaken.push(ignoreErrors(() => renameSync(`${path}.${owner}`, path)));
      return randomUUID();
    });
    onTestFinished(() => void vi.restoreAllMocks());
    const loseLock = async () => {
      removeTree(path);
      leave(`${path}.${owner}`, owner);
    };
    await hold(path, { run: loseLock });
    expect(isTaken).toEqual([false]);
    expect(list(path)).toEqual([]);
  });

  test('a waiter whose unfinished lock is swept tries again', async () => {
    const path = makePath();
    const sweeping = Array.from({ length: 40 }, () => hold(path));
    expect(await Promise.all(sweeping)).toEqual(Array.from({ length: 40 }, () => 'held'));
  });
});

function fail(holder: string): never {
  throw new Error(`waited for ${holder}`);
}
