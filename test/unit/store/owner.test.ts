/** The owners of what is made in a store: told from others of the same process id, and never taken for dead while they may live. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  describeOwner,
  isDebris,
  judgeOwner,
  nameOwner,
  splitOwned,
} from '../../../src/store/owner.ts';
import { endOne, makeOwner } from '../../support/locks.ts';

const PATIENT = { interval: 5, timeout: 30_000 };
const uuid = '0b6f1c1e-6f0a-4d6e-9d0c-0a1b2c3d4e5f';

test('each name is another one, and fits beside the longest slug', () => {
  const names = Array.from({ length: 100 }, nameOwner);
  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(name.length + 60).toBeLessThanOrEqual(200);
});

test.each([
  ['search', undefined],
  ['search.exa', undefined],
  ['search.lock', { host: '' }],
  ['a.b-c_d', { host: 'web-1.example.com' }],
])('what %s owns is told from what other names own', (base, parts) => {
  const owner = makeOwner(parts);
  expect(splitOwned(`${base}.${owner}`)).toEqual({ base, owner });
});

test.each(['', 'search', `search.${uuid}`, 'search.exa', nameOwner(), `.${nameOwner()}`])(
  'nobody owns %j',
  (name) => expect(splitOwned(name)).toBeUndefined(),
);

test('a message names the process and its host, or says that it is another', () => {
  expect(describeOwner(nameOwner())).toBe(`process ${process.pid} on ${hostname()}`);
  expect(describeOwner(makeOwner({ host: '' }))).toBe(`process ${process.pid}`);
  for (const name of [undefined, '', uuid, makeOwner({ host: 'a b' }), `${nameOwner()}\n`]) {
    expect(describeOwner(name)).toBe('another process');
  }
});

describe.runIf(process.platform === 'linux')('where there is a /proc', () => {
  const start = readFileSync('/proc/self/stat', 'utf8').split(' ')[21];

  test('this process lives', () => {
    expect(judgeOwner(nameOwner())).toBe('alive');
    expect(nameOwner().split('.')[2]).toBe(start);
  });

  test('one that has ended is dead', () => {
    expect(judgeOwner(makeOwner({ pid: endOne() }))).toBe('dead');
  });

  test('one whose process id was given to another is dead', () => {
    const before = String(Number(start) - 1);
    expect(judgeOwner(makeOwner({ start: before }))).toBe('dead');
    expect(judgeOwner(makeOwner({ pid: '1' }))).toBe('dead');
  });

  test('one that nobody has buried is dead, whatever it is called; one that is stopped lives', async () => {
    // The shell becomes a sleep, and never asks how its child ended.
    const child = 'process.title = "a) Z (b"; setInterval(() => {}, 1e6)';
    const args = ['-c', '"$0" -e "$1" & echo $!; exec sleep 1000', process.execPath, child];
    const parent = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    onTestFinished(() => void process.kill(-Number(parent.pid), 'SIGKILL'));
    const [text] = await once(parent.stdout, 'data');
    const pid = String(text).trim();
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').split(' ');
    const comm = () => readFileSync(`/proc/${pid}/comm`, 'utf8');
    await expect.poll(comm, PATIENT).toBe('a) Z (b\n');
    const owner = makeOwner({ pid, start: stat()[20] ?? '' });
    process.kill(Number(pid), 'SIGSTOP');
    await expect.poll(() => stat()[1], PATIENT).toBe('T');
    expect(judgeOwner(owner)).toBe('alive');
    process.kill(Number(pid), 'SIGKILL');
    await expect.poll(() => stat()[1], PATIENT).toBe('Z');
    expect(judgeOwner(owner)).toBe('dead');
  });

  test('one of another user that /proc hides is not taken for dead', () => {
    // As it is under hidepid=2: no /proc/PID, and a signal is not permitted.
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    });
    onTestFinished(() => kill.mockRestore());
    expect(judgeOwner(makeOwner({ pid: endOne() }))).toBe('unknown');
  });
});

test.each([
  ['of another container, host or boot', makeOwner({ place: 'abcdef012345' })],
  ['where there is no /proc', makeOwner({ place: '000000000000', start: '0' })],
  ['of another annex', uuid],
  ['cut off', nameOwner().slice(0, 20)],
  ['empty', ''],
  ['too long', makeOwner({ pid: '9'.repeat(30) })],
])('of an owner %s nothing is known', (_, owner) => {
  expect(judgeOwner(owner)).toBe('unknown');
});

test('what the dead made is debris, what the living made is not, and otherwise it is the feature’s', () => {
  const unknown = makeOwner({ place: 'abcdef012345' });
  const rows = [nameOwner(), unknown].map((owner) => [
    isDebris(owner, true),
    isDebris(owner, false),
  ]);
  if (process.platform !== 'linux') return;
  expect(rows).toEqual([
    [false, false],
    [true, false],
  ]);
  const dead = makeOwner({ start: '1' });
  expect([isDebris(dead, true), isDebris(dead, false)]).toEqual([true, true]);
});
