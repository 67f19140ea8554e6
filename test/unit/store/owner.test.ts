/** Owners: distinguished from other processes with the same id, and never judged dead while they may live. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  checkOwner,
  describeOwner,
  isAbandoned,
  nameOwner,
  parseOwned,
} from '../../../src/store/owner.ts';
import { endOne, makeOwner } from '../../support/locks.ts';

const uuid = '0b6f1c1e-6f0a-4d6e-9d0c-0a1b2c3d4e5f';

test('each name is new, and fits beside the longest slug', () => {
  const names = Array.from({ length: 100 }, nameOwner);
  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(name.length + 60).toBeLessThanOrEqual(200);
});

test.each([
  ['search', undefined],
  ['search.exa', undefined],
  ['search.lock', { host: '' }],
  ['a.b-c_d', { host: 'web-1.example.com' }],
])('%s is split from its owner', (base, parts) => {
  const owner = makeOwner(parts);
  expect(parseOwned(`${base}.${owner}`)).toEqual({ base, owner });
});

test.each(['', 'search', `search.${uuid}`, 'search.exa', nameOwner(), `.${nameOwner()}`])(
  '%j has no owner',
  (name) => expect(parseOwned(name)).toBeUndefined(),
);

test('a message names the process and its host, or "another process"', () => {
  expect(describeOwner(nameOwner())).toBe(`process ${process.pid} on ${hostname()}`);
  expect(describeOwner(makeOwner({ host: '' }))).toBe(`process ${process.pid}`);
  for (const name of [undefined, '', uuid, makeOwner({ host: 'a b' }), `${nameOwner()}\n`]) {
    expect(describeOwner(name)).toBe('another process');
  }
});

describe.runIf(process.platform === 'linux')('with /proc', () => {
  const start = readFileSync('/proc/self/stat', 'utf8').split(' ')[21];

  test('this process is alive', () => {
    expect(checkOwner(nameOwner())).toBe('alive');
    expect(nameOwner().split('.')[2]).toBe(start);
  });

  test('a process that has ended is dead', () => {
    expect(checkOwner(makeOwner({ pid: endOne() }))).toBe('dead');
  });

  test('a process whose id was reused is dead', () => {
    const before = String(Number(start) - 1);
    expect(checkOwner(makeOwner({ start: before }))).toBe('dead');
    expect(checkOwner(makeOwner({ pid: '1' }))).toBe('dead');
  });

  test('a zombie is dead, whatever its name; a stopped process is alive', async () => {
    // The shell becomes a sleep, which never waits for its child.
    const child = 'process.title = "a) Z (b"; setInterval(() => {}, 1e6)';
    const args = ['-c', '"$0" -e "$1" & echo $!; exec sleep 1000', process.execPath, child];
    const parent = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    onTestFinished(() => void process.kill(-Number(parent.pid), 'SIGKILL'));
    const [text] = await once(parent.stdout, 'data');
    const pid = String(text).trim();
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').split(' ');
    const comm = () => readFileSync(`/proc/${pid}/comm`, 'utf8');
    await expect.poll(comm).toBe('a) Z (b\n');
    const owner = makeOwner({ pid, start: stat()[20] ?? '' });
    process.kill(Number(pid), 'SIGSTOP');
    await expect.poll(() => stat()[1]).toBe('T');
    expect(checkOwner(owner)).toBe('alive');
    process.kill(Number(pid), 'SIGKILL');
    await expect.poll(() => stat()[1]).toBe('Z');
    expect(checkOwner(owner)).toBe('dead');
  });

  test('a process that /proc hides is not judged dead', () => {
    // As under hidepid=2: no /proc/PID, and a signal is not permitted.
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    });
    onTestFinished(() => kill.mockRestore());
    expect(checkOwner(makeOwner({ pid: endOne() }))).toBe('unknown');
  });
});

test.each([
  ['of another container, host or boot', makeOwner({ place: 'abcdef012345' })],
  ['where there is no /proc', makeOwner({ place: '000000000000', start: '0' })],
  ['of another annex', uuid],
  ['cut off', nameOwner().slice(0, 20)],
  ['empty', ''],
  ['too long', makeOwner({ pid: '9'.repeat(30) })],
])('an owner %s is unknown', (_, owner) => {
  expect(checkOwner(owner)).toBe('unknown');
});

test('things of dead owners are abandoned, of living ones not, of unknown ones only those of the same feature', () => {
  const unknown = makeOwner({ place: 'abcdef012345' });
  const rows = [nameOwner(), unknown].map((owner) => [
    isAbandoned(owner, true),
    isAbandoned(owner, false),
  ]);
  if (process.platform !== 'linux') return;
  expect(rows).toEqual([
    [false, false],
    [true, false],
  ]);
  const dead = makeOwner({ start: '1' });
  expect([isAbandoned(dead, true), isAbandoned(dead, false)]).toEqual([true, true]);
});
