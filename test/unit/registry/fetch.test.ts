/** Fetching locked tarballs from a registry that fails in the ways registries fail. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeRequestError } from '../../../src/registry/failure.ts';
import { withRetries } from '../../../src/registry/retry.ts';
import {
  hostOf,
  integrity,
  openFetcher,
  openRegistry,
  refuseFetch,
  tarball,
  wanted,
} from '../../support/fetching.ts';
import type { Fault, Registry } from '../../support/registry.ts';

test('a tarball is fetched from its conventional address', async () => {
  const registry = await openRegistry();
  const { fetcher } = openFetcher(registry);
  expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
  expect(registry.requests).toEqual(['GET /alpha/-/alpha-1.0.0.tgz']);
});

test('forty tarballs at a time are all fetched, without a warning', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const registry = await openRegistry();
  const { fetcher } = openFetcher(registry);
  const all = await Promise.all(Array.from({ length: 40 }, () => fetcher.fetchTarball(wanted)));
  expect(all.every((one) => one.tarball.equals(tarball))).toBe(true);
  await new Promise(setImmediate);
  expect(warnings).toEqual([]);
});

/** Requests for tarballs; the packument may be requested between two of them. */
const countTarballs = ({ requests }: Registry): number =>
  requests.filter((line) => line.endsWith('.tgz')).length;

describe('one failure is retried', () => {
  test.each<[string, Fault]>([
    ['an answer of 500', { kind: 'status', status: 500 }],
    ['an answer of 503', { kind: 'status', status: 503, headers: { 'retry-after': '0' } }],
    ['an answer of 429', { kind: 'status', status: 429, headers: { 'retry-after': '0' } }],
    ['an answer of 429 until a date', statusUntil('Wed, 01 Jan 2020 00:00:00 GMT')],
    ['a cut transfer', { kind: 'cut' }],
    ['other bytes', { kind: 'wrong-digest' }],
    ['an empty answer', { kind: 'page', body: '' }],
  ])('%s', async (_, fault) => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry);
    registry.fault({ ...fault, times: 1 });
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(countTarballs(registry)).toBe(2);
  });
});

const tooSlow = 'fetch-timeout=50';

describe('a repeated failure is refused after the third try, as by npm', () => {
  test.each<[string, Fault, string, string, string?]>([
    ['500', { kind: 'status', status: 500 }, 'ANNEX_OFFLINE', 'answered 500'],
    ['429', { kind: 'status', status: 429 }, 'ANNEX_OFFLINE', 'asked to slow down (429)'],
    ['a cut transfer', { kind: 'cut' }, 'ANNEX_OFFLINE', 'ECONNRESET'],
    ['no answer', { kind: 'hang' }, 'ANNEX_OFFLINE', 'ETIMEDOUT', tooSlow],
    ['half an answer', { kind: 'stall' }, 'ANNEX_OFFLINE', 'ETIMEDOUT', tooSlow],
    ['other bytes', { kind: 'wrong-digest' }, 'ANNEX_INTEGRITY', 'locked is sha512-'],
    ['an empty answer', { kind: 'page', body: '' }, 'ANNEX_INTEGRITY', 'sent 0 bytes'],
    ['a page', { kind: 'page', body: '<html>' }, 'ANNEX_INTEGRITY', 'sent 6 bytes'],
  ])('%s', async (_, fault, code, reason, npmrc) => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry, npmrc);
    registry.fault(fault);
    const refusal = await refuseFetch(fetcher);
    expect(refusal).toMatchObject({ code, reason: expect.stringContaining(reason) });
    expect(refusal.reason).toContain(hostOf(registry));
    expect(countTarballs(registry)).toBe(3);
  });

  test('no server', async () => {
    const registry = await openRegistry();
    await registry.stop();
    const { fetcher } = openFetcher(registry);
    expect(await refuseFetch(fetcher)).toMatchObject({
      code: 'ANNEX_OFFLINE',
      reason: `registry ${hostOf(registry)} cannot be reached (ECONNREFUSED)`,
    });
  });
});

test.each([0, 1, 4])('fetch-retries=%i allows as many further tries', async (retries) => {
  const registry = await openRegistry();
  const { fetcher } = openFetcher(registry, `fetch-retries=${retries}\nfetch-retry-factor=1`);
  registry.fault({ kind: 'status', status: 500 });
  await refuseFetch(fetcher);
  expect(countTarballs(registry)).toBe(retries + 1);
});

test('pauses are random, up to the bounds that npm has for them', async () => {
  const pauses: number[] = [];
  vi.spyOn(Math, 'random').mockReturnValue(1);
  onTestFinished(() => void vi.restoreAllMocks());
  const failed = makeRequestError(
    { code: 'ANNEX_OFFLINE', reason: '', hint: '' },
    { isTransient: true },
  );
  const settings = { retries: 4, retryFactor: 10, retryMinimum: 100, retryMaximum: 60_000 };
  const wait = async (ms: number): Promise<void> => void pauses.push(ms);
  await withRetries(() => Promise.reject(failed), { wait, hasTimeFor: () => true }, settings).catch(
    () => {},
  );
  expect(pauses).toEqual([100, 1_000, 10_000, 60_000]);
});

test.each([429, 503])('a %i with Retry-After is no failed try', async (status) => {
  const registry = await openRegistry();
  const { fetcher } = openFetcher(registry, 'fetch-retries=0');
  registry.fault({ kind: 'status', status, headers: { 'retry-after': '1' }, times: 2 });
  const start = performance.now();
  expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
  expect(registry.requests).toHaveLength(3);
  expect(performance.now() - start).toBeGreaterThan(2_000);
});

test('a Retry-After holds for every request to that host', async () => {
  const registry = await openRegistry();
  const { fetcher } = openFetcher(registry);
  registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: 1 });
  const first = fetcher.fetchTarball(wanted);
  await expect.poll(() => registry.requests.length).toBe(1);
  const start = performance.now();
  await Promise.all([first, ...Array.from({ length: 5 }, () => fetcher.fetchTarball(wanted))]);
  expect(performance.now() - start).toBeGreaterThan(900);
  expect(registry.requests).toHaveLength(7);
});

test('a Retry-After holds for every fetcher of the process', async () => {
  const registry = await openRegistry();
  registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: 1 });
  const first = openFetcher(registry).fetcher.fetchTarball(wanted);
  await expect.poll(() => registry.requests.length).toBe(1);
  const start = performance.now();
  await openFetcher(registry).fetcher.fetchTarball(wanted);
  expect(performance.now() - start).toBeGreaterThan(900);
  await first;
});

test('an aborted fetcher does not wait for a request of another one', async () => {
  const registry = await openRegistry();
  registry.fault({ kind: 'hang' });
  const other = openFetcher(registry);
  const hanging = other.fetcher.fetchTarball(wanted).catch(() => {});
  await expect.poll(() => registry.requests.length).toBe(1);
  const { fetcher, abort } = openFetcher(registry);
  const waiting = fetcher.fetchTarball(wanted);
  const reason = new Error('given up');
  const start = performance.now();
  setTimeout(() => abort.abort(reason), 50);
  await expect(waiting).rejects.toBe(reason);
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(registry.requests).toHaveLength(1);
  other.abort.abort(reason);
  await hanging;
});

describe('a permanent failure is refused at once', () => {
  test.each<[number, string, string]>([
    [401, 'ANNEX_INSTALL_FAILED', 'token'],
    [403, 'ANNEX_INSTALL_FAILED', 'token'],
    [410, 'ANNEX_INSTALL_FAILED', 'has this version'],
    [451, 'ANNEX_INSTALL_FAILED', 'refuses'],
    [302, 'ANNEX_INSTALL_FAILED', 'refuses'],
    [204, 'ANNEX_INSTALL_FAILED', 'refuses'],
  ])('status %i', async (status, code, hint) => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry);
    registry.fault({ kind: 'status', status });
    const refusal = await refuseFetch(fetcher);
    expect(refusal).toMatchObject({ code, hint: expect.stringContaining(hint) });
    expect(refusal.reason).toBe(`registry ${hostOf(registry)} answered ${status} for alpha@1.0.0`);
    expect(countTarballs(registry)).toBe(1);
  });

  test('a Retry-After beyond the time limit', async () => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry);
    registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
    const refusal = await refuseFetch(fetcher);
    expect(refusal).toMatchObject({ code: 'ANNEX_OFFLINE', host: hostOf(registry) });
    expect(Math.abs((refusal.retryAt ?? 0) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(registry.requests).toHaveLength(1);
  });

  test('a tarball with a stated size beyond the limit, or beyond the locked one', async () => {
    for (const [size, most] of [
      [undefined, 256 * 2 ** 20],
      [tarball.length, tarball.length],
    ] as const) {
      const registry = await openRegistry();
      const { fetcher } = openFetcher(registry);
      const headers = { 'content-length': `${most + 1}` };
      registry.fault({ kind: 'status', status: 200, headers }, /\.tgz$/);
      const what = { ...wanted, ...(size !== undefined && { size }) };
      expect(await refuseFetch(fetcher, what)).toMatchObject({
        code: 'ANNEX_INTEGRITY',
        reason: `alpha@1.0.0: ${hostOf(registry)} sends more than ${most} bytes`,
      });
    }
  });

  test('a lock without a sha512', async () => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry);
    const sha1 = { ...wanted, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' };
    expect(await refuseFetch(fetcher, sha1)).toMatchObject({ code: 'ANNEX_INTEGRITY' });
    expect(registry.requests).toEqual([]);
  });
});

test('any of several locked digests will do', async () => {
  const registry = await openRegistry();
  const { fetcher } = openFetcher(registry);
  const other = `sha512-${Buffer.alloc(64).toString('base64')}`;
  const several = `sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= ${other} ${integrity}?size=1`;
  const { tarball: body } = await fetcher.fetchTarball({ ...wanted, integrity: several });
  expect(body.equals(tarball)).toBe(true);
});

test('an aborted install does not wait for the registry', async () => {
  const registry = await openRegistry();
  const { fetcher, abort } = openFetcher(registry);
  registry.fault({ kind: 'hang' });
  const fetched = fetcher.fetchTarball(wanted).catch((error: unknown) => error);
  await expect.poll(() => registry.requests.length).toBe(1);
  const reason = new Error('given up');
  abort.abort(reason);
  expect(await fetched).toBe(reason);
});

test('an aborted install does not wait for the next try', async () => {
  const registry = await openRegistry();
  const { fetcher, abort } = openFetcher(registry);
  registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '25' } });
  const fetched = fetcher.fetchTarball(wanted).catch((error: unknown) => error);
  await expect.poll(() => registry.requests.length).toBe(1);
  const reason = new Error('given up');
  abort.abort(reason);
  expect(await fetched).toBe(reason);
});

function statusUntil(date: string): Fault {
  return { kind: 'status', status: 429, headers: { 'retry-after': date } };
}
