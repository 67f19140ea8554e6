/** `annex install --within` goes on until every feature is there or no further try is possible in the time. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { InstallResult } from '../../src/types.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { type Fault, makeGate } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

const packages = [
  ...['alpha', 'beta', 'gamma'].map((name) => esmPackage(name, '1.0.0', name)),
  dependentPackage('kit', '1.0.0', 'kit', { alpha: '^1.0.0', beta: '^1.0.0', gamma: '^1.0.0' }),
];
const features = { alpha: '^1.0.0', beta: '^1.0.0' };
const absent = { kind: 'status', status: 404 } as const;
const failing = { kind: 'status', status: 503 } as const;

async function open(annex: object = { features }) {
  const { sandbox, registry } = await openWorld({ packages, annex });
  const run = (args: string[], env: object = {}) =>
    sandbox.annex(['install', ...args], {
      env: {
        ANNEX_STORE: sandbox.store,
        npm_config_cache: join(sandbox.root, 'empty-cache'),
        ...env,
      },
    });
  const runJson = async (args: string[], env?: object) => {
    const { code, stdout, ...rest } = await run([...args, '--json'], env);
    const { results, error } = JSON.parse(stdout);
    return { code, results: (results ?? []) as InstallResult[], error, ...rest };
  };
  const count = (name: string): number =>
    registry.requests.filter((line) => line === `GET /${name}`).length;
  return { sandbox, registry, run, runJson, count };
}

const listFailures = (sandbox: Sandbox): string[] => {
  const dir = join(sandbox.store, 'v1/failures');
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.json')) : [];
};

/**
 * Lets so many remembered failures end after some time, as a shorter backoff would.
 *
 * @returns the time at which they end
 */
async function shorten(sandbox: Sandbox, failures: number, ms: number): Promise<number> {
  await expect.poll(() => listFailures(sandbox)).toHaveLength(failures);
  const until = Date.now() + ms;
  for (const name of listFailures(sandbox)) {
    const file = join(sandbox.store, 'v1/failures', name);
    const [failure] = JSON.parse(readFileSync(file, 'utf8'));
    const { retryAt } = failure.refusal;
    if (retryAt !== undefined) failure.refusal.retryAt = until;
    writeFileSync(file, JSON.stringify([{ ...failure, until }]));
  }
  return until;
}

test('a feature that failed is tried again when its failure is no longer remembered', async () => {
  const { sandbox, registry, run, count } = await open();
  registry.fault(absent, /beta/);
  const running = run(['--all', '--within', '120']);
  await expect.poll(() => listFailures(sandbox)).toEqual(['beta.json']);
  const tries = count('beta');
  registry.fault(undefined);
  const until = await shorten(sandbox, 1, 2_000);
  await expect.poll(() => count('beta')).toBeGreaterThan(tries);
  expect(Date.now()).toBeGreaterThanOrEqual(until);
  const { code, stdout, stderr } = await running;
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^alpha: alpha 1\.0\.0 \(.*\)\nbeta: beta 1\.0\.0 \(.*\)\n$/);
  expect(stderr).toMatch(/^annex: beta: next try at \d\d:\d\d:\d\d UTC$/m);
  expect(count('alpha')).toBe(1);
});

test('a registry that fails for a while delays all features from it, and all are installed', async () => {
  const { sandbox, registry, runJson } = await open();
  await lock(sandbox);
  registry.fault(failing);
  const running = runJson(['--all', '--within', '300']);
  // Of alpha, and of the host.
  const until = await shorten(sandbox, 2, 2_000);
  registry.fault(undefined);
  registry.requests.length = 0;
  await expect.poll(() => registry.requests.length).toBeGreaterThan(0);
  expect(Date.now()).toBeGreaterThanOrEqual(until);
  const { code, results, stderr } = await running;
  expect(code, stderr).toBe(0);
  expect(results.map(({ outcome }) => outcome)).toEqual(['installed', 'installed']);
  expect(stderr).toMatch(/^annex: beta unavailable \(ANNEX_OFFLINE\): .* failed for alpha: /m);
  for (const name of ['alpha', 'beta']) expect(stderr).toContain(`annex: ${name}: next try at `);
  expect(listFailures(sandbox)).toEqual([]);
});

describe('a failure that an earlier process left', () => {
  test('does not delay the first try, nor the second one', async () => {
    const { sandbox, registry, run, runJson, count } = await open();
    registry.fault(absent, /beta/);
    expect((await run(['beta'])).code).toBe(1);
    const file = join(sandbox.store, 'v1/failures/beta.json');
    const [failure] = JSON.parse(readFileSync(file, 'utf8'));
    const until = Date.now() + 14 * 60_000;
    writeFileSync(file, JSON.stringify([{ ...failure, attempts: 9, until }]));
    const tries = count('beta');
    const failed = await runJson(['beta', '--within', '20']);
    expect(failed).toMatchObject({ code: 1, results: [{ outcome: 'failed' }] });
    expect(count('beta')).toBe(tries + 1);
    const [last] = JSON.parse(readFileSync(file, 'utf8'));
    expect(last.attempts).toBe(1);
    registry.fault(undefined);
    const { code, results } = await runJson(['beta', '--within', '20']);
    expect({ code, results }).toMatchObject({ code: 0, results: [{ outcome: 'installed' }] });
  });

  test('does, if a registry named a later time', async () => {
    const { sandbox, registry, run, runJson } = await open();
    await lock(sandbox);
    registry.fault({ ...failing, headers: { 'retry-after': '3600' } });
    expect((await run(['alpha'])).code).toBe(1);
    registry.fault(undefined);
    registry.requests.length = 0;
    const early = await runJson(['--all', '--within', '300']);
    expect(early.code).toBe(1);
    expect(early.results).toMatchObject(
      ['alpha', 'beta'].map((feature) => ({ feature, refusal: { code: 'ANNEX_OFFLINE' } })),
    );
    expect(early.stderr).toMatch(
      /^annex: beta: not tried again: --within ends before its next try, at .* UTC$/m,
    );
    expect(registry.requests).toEqual([]);
    const until = await shorten(sandbox, 2, 2_000);
    const { code, results } = await runJson(['--all', '--within', '300']);
    expect(code).toBe(0);
    expect(results.map(({ outcome }) => outcome)).toEqual(['installed', 'installed']);
    expect(Date.now()).toBeGreaterThanOrEqual(until);
  });
});

describe('it ends as soon as no further try is possible', () => {
  test('after a failure that is remembered for longer', async () => {
    const { registry, runJson, count } = await open();
    registry.fault(absent, /beta/);
    const { code, results, stderr } = await runJson(['--all', '--within', '20']);
    expect(code).toBe(1);
    expect(results).toMatchObject([
      { feature: 'alpha', outcome: 'installed' },
      { feature: 'beta', outcome: 'failed', refusal: { code: 'ANNEX_INSTALL_FAILED' } },
    ]);
    expect(stderr).toMatch(/^annex: beta unavailable \(ANNEX_INSTALL_FAILED\): /m);
    expect(stderr).toMatch(
      /^annex: beta: not tried again: --within ends before its next try, at \d\d:\d\d:\d\d UTC$/m,
    );
    expect(count('beta')).toBe(1);
  });

  test('when a registry asks for a pause that is longer', async () => {
    const { sandbox, registry, runJson } = await open();
    await lock(sandbox);
    registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '120' } });
    registry.requests.length = 0;
    const { code, results } = await runJson(['alpha', '--within', '100']);
    expect(code).toBe(1);
    const reason = expect.stringContaining('asked to slow down (429)');
    expect(results).toMatchObject([{ refusal: { code: 'ANNEX_OFFLINE', reason } }]);
    expect(registry.requests).toHaveLength(1);
    expect(listFailures(sandbox)).toHaveLength(2);
  });

  test('before the pause after an answer of 503', async () => {
    const { sandbox, registry, runJson } = await open();
    await lock(sandbox);
    registry.fault(failing);
    const env = {
      npm_config_fetch_retry_mintimeout: '900000000',
      npm_config_fetch_retry_maxtimeout: '900000000',
    };
    const { code, results } = await runJson(['alpha', '--within', '20'], env);
    expect(code).toBe(1);
    const reason = expect.stringContaining('503');
    expect(results).toMatchObject([{ refusal: { code: 'ANNEX_OFFLINE', reason } }]);
  });

  test.each<[string, object, string, object?]>([
    ['after a denial', { features }, 'ANNEX_DENIED', { ANNEX_ALLOW_INSTALLS: '0' }],
    ['after a blocked version', { features, blocked: ['beta'] }, 'ANNEX_DENIED'],
    [
      'with an invalid declaration',
      { features: { alpha: '^1.0.0', beta: 7 } },
      'ANNEX_INVALID_CONFIG',
    ],
  ])('%s', async (_, annex, expected, env) => {
    const { runJson } = await open(annex);
    const { code, results, error, ms } = await runJson(['beta', '--within', '300'], env);
    expect(code).toBe(1);
    const [first] = results;
    expect(error?.code ?? (first?.outcome === 'failed' && first.refusal.code)).toBe(expected);
    expect(ms).toBeLessThan(200_000);
  });

  test.each<[string, Fault | undefined, object, RegExp]>([
    ['after an answer of 401', { kind: 'status', status: 401 }, {}, /answered 401 for/],
    ['after an answer of 403', { kind: 'status', status: 403 }, {}, /answered 403 for/],
    ['when npm is set to offline', undefined, { npm_config_offline: 'true' }, /is set to offline/],
  ])('%s', async (_, fault, env, reason) => {
    const { sandbox, registry, runJson } = await open();
    await lock(sandbox);
    registry.fault(fault);
    const { code, results, stderr, ms } = await runJson(['--all', '--within', '300'], env);
    expect({ code, results }).toMatchObject({
      code: 1,
      results: ['alpha', 'beta'].map((feature) => ({ feature, outcome: 'failed' })),
    });
    expect(stderr).toMatch(reason);
    expect(stderr).not.toMatch(/next try|not tried again/);
    expect(ms).toBeLessThan(200_000);
  });
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

test('a time below what a feature needs is enough for several runs: each goes on where the last one ended', async () => {
  const { sandbox, registry, run } = await open({ features: { kit: '^1.0.0' } });
  await lock(sandbox);
  registry.requests.length = 0;
  const names = ['alpha', 'beta', 'gamma', 'kit'];
  const codes: (number | null)[] = [];
  for (const last of [...names.keys()].slice(1)) {
    // As slow as can be: in each run one tarball more arrives.
    registry.fault(undefined);
    for (const name of names.slice(last)) registry.fault({ kind: 'hang' }, new RegExp(`/${name}-`));
    codes.push((await run(['kit', '--within', '4'])).code);
  }
  registry.fault(undefined);
  codes.push((await run(['kit', '--within', '60'])).code);
  expect(codes).toEqual([1, 1, 1, 0]);
  const asked = (name: string): number =>
    registry.requests.filter((line) => line.includes(`/${name}-1.0.0.tgz`)).length;
  // A transfer that the end of a run cut off is made again, and no other.
  expect(names.map(asked)).toEqual([1, 2, 2, 2]);
  expect(readdirSync(join(sandbox.store, 'v1/staging'))).toEqual([]);
});

test('two jobs on one volume install each feature once', async () => {
  const { registry, runJson, count } = await open();
  registry.fault({ kind: 'slow', ms: 300 });
  const both = await Promise.all([1, 2].map(() => runJson(['--all', '--within', '120'])));
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  for (const name of ['alpha', 'beta']) expect(count(name)).toBe(1);
  const outcomes = both.flatMap(({ results }) => results);
  expect(outcomes.filter(({ outcome }) => outcome === 'installed')).toHaveLength(2);
});

test('two jobs on one volume make one try between them while the registry is away', async () => {
  const { sandbox, registry, runJson } = await open();
  await lock(sandbox);
  const { until, letGo } = makeGate();
  registry.fault({ ...failing, until });
  registry.requests.length = 0;
  const env = { npm_config_fetch_retries: '0' };
  const running = [1, 2].map(() => runJson(['alpha', '--within', '15'], env));
  await expect.poll(() => registry.requests.length).toBe(1);
  // The lock, and the one that waits.
  await expect.poll(() => readdirSync(join(sandbox.store, 'v1/locks'))).toHaveLength(2);
  letGo();
  const both = await Promise.all(running);
  expect(both.map(({ code }) => code)).toEqual([1, 1]);
  const tries = both.map(({ stderr }) => stderr.split('annex: installing alpha').length - 1);
  expect(tries.sort()).toEqual([0, 1]);
});

describe('the command line', () => {
  test.each(['--within 60 alpha', 'alpha --within=60'])('%s', async (args) => {
    const { runJson } = await open();
    const { code, results } = await runJson(args.split(' '));
    expect({ code, results }).toMatchObject({ code: 0, results: [{ feature: 'alpha' }] });
  });

  test.each(['0', '-1', '1.5', '2m', '604801', ''])('--within=%s is refused', async (value) => {
    const { run } = await open();
    const { code, stdout, stderr } = await run(['--all', `--within=${value}`]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^annex: --within (?:is a whole number of seconds from 1 to 604800, not|needs a value)/,
    );
  });

  test('a name that is no feature ends it at once', async () => {
    const { run } = await open();
    const { code, stderr } = await run(['delta', '--within', '300']);
    expect(code).toBe(1);
    expect(stderr).toContain('delta');
  });

  test('with ANNEX_LOG=error it reports failures alone', async () => {
    const { registry, run } = await open();
    registry.fault(absent, /beta/);
    const { code, stdout, stderr } = await run(['--all', '--within', '20'], { ANNEX_LOG: 'error' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^alpha: /);
    expect(stderr).toMatch(/^annex: beta unavailable \(ANNEX_INSTALL_FAILED\): .*\n$/);
  });
});
