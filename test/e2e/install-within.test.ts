/** `annex install --within` goes on until every feature is there or the time is over. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { canUnshare, OTHER_PIDS } from '../support/namespaces.ts';
import { repositoryRoot } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'alpha'), esmPackage('beta', '1.0.0', 'beta')];
const features = { alpha: '^1.0.0', beta: '^1.0.0' };
const broken = { kind: 'status', status: 404 } as const;

async function open(annex: object = { features }) {
  const { sandbox, registry } = await openWorld({ packages, annex });
  const run = (args: string[], env: object = {}, onOutput?: (text: string) => void) =>
    sandbox.annex(['install', ...args], {
      env: { ANNEX_STORE: sandbox.store, ...env },
      ...(onOutput && { onOutput }),
    });
  const count = (name: string): number =>
    registry.requests.filter((line) => line === `GET /${name}`).length;
  return { sandbox, registry, run, count };
}

const failureOf = (sandbox: Sandbox, name: string): string =>
  join(sandbox.store, 'v1/failures', `${name}.json`);

/** Lets a remembered failure end after some time, as a shorter backoff would. */
async function shorten(sandbox: Sandbox, name: string, ms: number): Promise<number> {
  const file = failureOf(sandbox, name);
  await expect.poll(() => existsSync(file)).toBe(true);
  const [failure] = JSON.parse(readFileSync(file, 'utf8'));
  failure.until = Date.now() + ms;
  writeFileSync(file, JSON.stringify([failure]));
  return failure.until;
}

test('a feature that failed is tried again when its failure is no longer remembered', async () => {
  const { sandbox, registry, run, count } = await open();
  registry.fault(broken, /beta/);
  const running = run(['--all', '--within', '120']);
  await expect.poll(() => existsSync(failureOf(sandbox, 'beta'))).toBe(true);
  const tries = count('beta');
  registry.fault(undefined);
  const until = await shorten(sandbox, 'beta', 4_000);
  await expect.poll(() => count('beta')).toBeGreaterThan(tries);
  expect(Date.now()).toBeGreaterThanOrEqual(until);
  const { code, stdout, stderr } = await running;
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^alpha: alpha 1\.0\.0 \(.*\)\nbeta: beta 1\.0\.0 \(.*\)\n$/);
  expect(stderr).toMatch(/^annex: beta: next try at \d\d:\d\d:\d\d UTC$/m);
  expect(count('alpha')).toBe(1);
});

test('a failure that another process left is waited for, too', async () => {
  const { sandbox, registry, run, count } = await open();
  registry.fault(broken, /beta/);
  expect((await run(['beta'])).code).toBe(1);
  registry.fault(undefined);
  const tries = count('beta');
  const running = run(['beta', '--within', '60', '--json']);
  const until = await shorten(sandbox, 'beta', 3_000);
  const { code, stdout } = await running;
  expect(code).toBe(0);
  expect(Date.now()).toBeGreaterThanOrEqual(until);
  expect(JSON.parse(stdout).results).toMatchObject([{ feature: 'beta', outcome: 'installed' }]);
  expect(count('beta')).toBe(tries + 1);
});

test('when the time is over it exits with 1 and the reasons of the rest', async () => {
  const { registry, run, count } = await open();
  registry.fault(broken, /beta/);
  expect((await run(['--all'])).code).toBe(1);
  const { code, stdout, stderr, ms } = await run(['--all', '--within', '3', '--json']);
  expect(code).toBe(1);
  expect(ms).toBeGreaterThan(3_000);
  expect(JSON.parse(stdout).results).toMatchObject([
    { feature: 'alpha', outcome: 'present' },
    { feature: 'beta', outcome: 'failed', refusal: { code: 'ANNEX_INSTALL_FAILED' } },
  ]);
  expect(stderr).toMatch(/^annex: beta unavailable \(ANNEX_INSTALL_FAILED\): /m);
  expect(count('beta')).toBe(1);
});

test('an install under way ends with the time, and is not remembered as a failure', async () => {
  const { sandbox, registry, run } = await open();
  registry.fault({ kind: 'hang' }, /alpha.*\.tgz/);
  const { code, stderr } = await run(['--all', '--within', '2']);
  expect(code).toBe(1);
  const reason = 'it was not finished within 2 s';
  for (const name of ['alpha', 'beta']) {
    expect(stderr).toContain(`annex: ${name} unavailable (ANNEX_TIMEOUT): ${reason}.`);
  }
  expect(stderr).not.toContain('installing beta');
  for (const name of ['failures', 'staging', 'locks']) {
    const dir = join(sandbox.store, 'v1', name);
    expect(existsSync(dir) ? readdirSync(dir) : []).toEqual([]);
  }
});

describe('what no retry mends ends it before its time', () => {
  test.each<[string, object, string, object?]>([
    ['a denial', { features }, 'ANNEX_DENIED', { ANNEX_ALLOW_INSTALLS: '0' }],
    ['a blocked version', { features, blocked: ['beta'] }, 'ANNEX_DENIED'],
    ['an invalid declaration', { features: { alpha: '^1.0.0', beta: 7 } }, 'ANNEX_INVALID_CONFIG'],
  ])('%s', async (_, annex, expected, env) => {
    const { run } = await open(annex);
    const { code, stdout, ms } = await run(['beta', '--within', '300', '--json'], env);
    expect(code).toBe(1);
    const { results, error } = JSON.parse(stdout);
    expect((error ?? results[0].refusal).code).toBe(expected);
    expect(ms).toBeLessThan(200_000);
  });
});

test('two jobs on one volume install each feature once', async () => {
  const { registry, run, count } = await open();
  registry.fault({ kind: 'slow', ms: 300 });
  const both = await Promise.all([1, 2].map(() => run(['--all', '--within', '120', '--json'])));
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  for (const name of ['alpha', 'beta']) expect(count(name)).toBe(1);
  const outcomes = both.flatMap(({ stdout }) => JSON.parse(stdout).results);
  expect(outcomes.filter(({ outcome }) => outcome === 'installed')).toHaveLength(2);
});

describe('a signal ends it at once', () => {
  /** Runs it until it waits for the next try, then sends SIGTERM to the process that an output names. */
  test('while it waits', async () => {
    const { sandbox, registry } = await open();
    registry.fault(broken);
    const cli = join(repositoryRoot, 'dist/cli/main.js');
    const script = `"$0" "$1" install alpha --within 300 & pid=$!; echo $pid; wait $pid; echo $?`;
    const result = await sandbox.exec('sh', ['-c', script, process.execPath, cli], {
      env: { ANNEX_STORE: sandbox.store },
      onOutput: killWhenWaiting(),
    });
    expect(result.stdout.split('\n')[1]).toBe('143');
    expect(result.ms).toBeLessThan(200_000);
  });

  test.runIf(canUnshare(OTHER_PIDS))('as the first process of a container', async () => {
    const { sandbox, registry } = await open();
    registry.fault(broken);
    const cli = join(repositoryRoot, 'dist/cli/main.js');
    const [unshare, ...flags] = OTHER_PIDS;
    // The outer shell sees the inner process as the child of unshare.
    const script = `"$@" & u=$!; until c=$(cat /proc/$u/task/$u/children) && [ -n "$c" ]; do :; done; echo $c; wait $u; echo $?`;
    const result = await sandbox.exec(
      'sh',
      [
        '-c',
        script,
        'sh',
        unshare,
        ...flags,
        process.execPath,
        cli,
        'install',
        'alpha',
        '--within',
        '300',
      ],
      { env: { ANNEX_STORE: sandbox.store }, onOutput: killWhenWaiting() },
    );
    expect(result.stdout.split('\n')[1]).toBe('143');
    expect(result.ms).toBeLessThan(200_000);
  });
});

/** Sends SIGTERM to the process whose id is the first line, when the output says that it waits. */
function killWhenWaiting(): (text: string) => void {
  let output = '';
  return (text) => {
    output += text;
    const pid = Number(/^\s*(\d+)\s*$/m.exec(output)?.[1]);
    if (pid > 0 && output.includes('next try')) {
      output = '';
      process.kill(pid, 'SIGTERM');
    }
  };
}
