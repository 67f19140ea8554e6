/** Fetching locked tarballs from a registry that fails in the ways registries fail. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { refusalOf } from '../../../src/errors.ts';
import { createFetcher, type Fetcher, type Wanted } from '../../../src/install/fetch.ts';
import { readNpmSettings } from '../../../src/install/npm-settings.ts';
import type { Refusal } from '../../../src/types.ts';
import { esmPackage } from '../../support/fixtures.ts';
import { packFixture } from '../../support/package.ts';
import {
  type Fault,
  type Registry,
  type RegistryOptions,
  startRegistry,
} from '../../support/registry.ts';
import { removeTree } from '../../support/tree.ts';

const alpha = esmPackage('alpha', '1.0.0', 'alpha');
const scoped = esmPackage('@acme/beta', '2.0.0', 'beta');
const { tarball, integrity } = packFixture(alpha);
const wanted: Wanted = { name: 'alpha', version: '1.0.0', integrity };
const SECRET = 's3cr3t-t0ken';

async function openRegistry(options?: RegistryOptions): Promise<Registry> {
  const registry = await startRegistry([alpha, scoped], options);
  onTestFinished(() => registry.stop());
  return registry;
}

interface World {
  fetcher: Fetcher;
  home: string;
  abort: AbortController;
}

/** A core and a user with this .npmrc, and no waiting between tries. */
function openWorld(registry: Registry | string, npmrc = '', env = {}): World {
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'annex-fetch-'));
  onTestFinished(() => removeTree(home));
  const url = typeof registry === 'string' ? registry : registry.url;
  const lines = [`registry=${url}`, 'fetch-retry-mintimeout=1', npmrc];
  writeFileSync(join(home, '.npmrc'), lines.join('\n'));
  const abort = new AbortController();
  const settings = readNpmSettings(home, { HOME: home, ...env });
  const fetcher = createFetcher(settings, abort.signal);
  onTestFinished(() => fetcher.close());
  return { fetcher, home, abort };
}

async function refusalOfFetch(fetcher: Fetcher, what: Wanted = wanted): Promise<Refusal> {
  const error = await fetcher.fetchTarball(what).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const refusal = refusalOf(error);
  if (refusal === undefined) throw new Error('it was not refused', { cause: error });
  const texts = `${refusal.reason} ${refusal.hint} ${String(error)}`;
  expect(texts).not.toContain(SECRET);
  return refusal;
}

const hostOf = ({ url }: Registry): string => new URL(url).host;

test('a tarball is fetched from its conventional address', async () => {
  const registry = await openRegistry();
  const { fetcher } = openWorld(registry);
  expect((await fetcher.fetchTarball(wanted)).equals(tarball)).toBe(true);
  const beta = packFixture(scoped);
  const named = { name: '@acme/beta', version: '2.0.0', integrity: beta.integrity };
  expect((await fetcher.fetchTarball(named)).equals(beta.tarball)).toBe(true);
  expect(registry.requests).toEqual([
    'GET /alpha/-/alpha-1.0.0.tgz',
    'GET /@acme/beta/-/beta-2.0.0.tgz',
  ]);
});

test('forty tarballs at a time are all fetched, without a warning', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const registry = await openRegistry();
  const { fetcher } = openWorld(registry);
  const all = await Promise.all(Array.from({ length: 40 }, () => fetcher.fetchTarball(wanted)));
  expect(all.every((one) => one.equals(tarball))).toBe(true);
  await new Promise(setImmediate);
  expect(warnings).toEqual([]);
});

describe('one failure is got over', () => {
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
    const { fetcher } = openWorld(registry);
    registry.fault({ ...fault, times: 1 });
    expect((await fetcher.fetchTarball(wanted)).equals(tarball)).toBe(true);
    expect(registry.requests).toHaveLength(2);
  });
});

const tooSlow = 'fetch-timeout=50';

describe('what does not get better is refused after the second try', () => {
  test.each<[string, Fault, string, string, string?]>([
    ['500', { kind: 'status', status: 500 }, 'ANNEX_OFFLINE', 'answered 500'],
    ['429', { kind: 'status', status: 429 }, 'ANNEX_OFFLINE', 'answered 429'],
    ['a cut transfer', { kind: 'cut' }, 'ANNEX_OFFLINE', 'ECONNRESET'],
    ['no answer', { kind: 'hang' }, 'ANNEX_OFFLINE', 'ETIMEDOUT', tooSlow],
    ['other bytes', { kind: 'wrong-digest' }, 'ANNEX_INTEGRITY', 'locked is sha512-'],
    ['an empty answer', { kind: 'page', body: '' }, 'ANNEX_INTEGRITY', 'sent 0 bytes'],
    ['a page', { kind: 'page', body: '<html>' }, 'ANNEX_INTEGRITY', 'sent 6 bytes'],
  ])('%s', async (_, fault, code, reason, npmrc) => {
    const registry = await openRegistry();
    const { fetcher } = openWorld(registry, npmrc);
    registry.fault(fault);
    const refusal = await refusalOfFetch(fetcher);
    expect(refusal).toMatchObject({ code, reason: expect.stringContaining(reason) });
    expect(refusal.reason).toContain(`alpha@1.0.0: ${hostOf(registry)}`);
    expect(registry.requests).toHaveLength(2);
  });

  test('nobody there', async () => {
    const registry = await openRegistry();
    await registry.stop();
    const { fetcher } = openWorld(registry);
    expect(await refusalOfFetch(fetcher)).toMatchObject({
      code: 'ANNEX_OFFLINE',
      reason: `alpha@1.0.0: ${hostOf(registry)} cannot be reached: ECONNREFUSED`,
    });
  });
});

describe('what another try cannot change is refused at once', () => {
  test.each<[number, string, string]>([
    [401, 'ANNEX_INSTALL_FAILED', 'token'],
    [403, 'ANNEX_INSTALL_FAILED', 'token'],
    [410, 'ANNEX_INSTALL_FAILED', 'holds this version'],
    [451, 'ANNEX_INSTALL_FAILED', 'refuses'],
    [302, 'ANNEX_INSTALL_FAILED', 'refuses'],
    [204, 'ANNEX_INSTALL_FAILED', 'refuses'],
  ])('an answer of %i', async (status, code, hint) => {
    const registry = await openRegistry();
    const { fetcher } = openWorld(registry);
    registry.fault({ kind: 'status', status });
    const refusal = await refusalOfFetch(fetcher);
    expect(refusal).toMatchObject({ code, hint: expect.stringContaining(hint) });
    expect(refusal.reason).toBe(`alpha@1.0.0: ${hostOf(registry)} answered ${status}`);
    expect(registry.requests).toHaveLength(1);
  });

  test('a registry that asks for more patience than there is', async () => {
    const registry = await openRegistry();
    const { fetcher } = openWorld(registry);
    registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
    expect(await refusalOfFetch(fetcher)).toMatchObject({ code: 'ANNEX_OFFLINE' });
    expect(registry.requests).toHaveLength(1);
  });

  test('a lock without a sha512', async () => {
    const registry = await openRegistry();
    const { fetcher } = openWorld(registry);
    const sha1 = { ...wanted, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' };
    expect(await refusalOfFetch(fetcher, sha1)).toMatchObject({ code: 'ANNEX_INTEGRITY' });
    expect(registry.requests).toEqual([]);
  });
});

test('any of several locked digests will do', async () => {
  const registry = await openRegistry();
  const { fetcher } = openWorld(registry);
  const other = `sha512-${Buffer.alloc(64).toString('base64')}`;
  const several = `sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= ${other} ${integrity}?size=1`;
  const body = await fetcher.fetchTarball({ ...wanted, integrity: several });
  expect(body.equals(tarball)).toBe(true);
});

test('an install that is given up does not wait for the registry', async () => {
  const registry = await openRegistry();
  const { fetcher, abort } = openWorld(registry);
  registry.fault({ kind: 'hang' });
  const fetched = fetcher.fetchTarball(wanted).catch((error: unknown) => error);
  await expect.poll(() => registry.requests.length).toBe(1);
  const reason = new Error('given up');
  abort.abort(reason);
  expect(await fetched).toBe(reason);
});

test('an install that is given up does not wait for the next try', async () => {
  const registry = await openRegistry();
  const { fetcher, abort } = openWorld(registry);
  registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '25' } });
  const fetched = fetcher.fetchTarball(wanted).catch((error: unknown) => error);
  await expect.poll(() => registry.requests.length).toBe(1);
  const reason = new Error('given up');
  abort.abort(reason);
  expect(await fetched).toBe(reason);
});

describe('a registry with addresses of its own', () => {
  test('is asked where the tarball is', async () => {
    const registry = await openRegistry({ base: '/api/npm', files: '/files' });
    const { fetcher } = openWorld(registry);
    const beta = packFixture(scoped);
    const named = { name: '@acme/beta', version: '2.0.0', integrity: beta.integrity };
    expect((await fetcher.fetchTarball(named)).equals(beta.tarball)).toBe(true);
    expect(registry.requests).toEqual([
      'GET /api/npm/@acme/beta/-/beta-2.0.0.tgz',
      'GET /api/npm/@acme/beta',
      'GET /api/npm/files/@acme/beta/-/beta-2.0.0.tgz',
    ]);
  });

  test.each(['9.9.9', 'toString', '__proto__'])('does not hold version %s', async (version) => {
    const registry = await openRegistry({ files: '/files' });
    const { fetcher } = openWorld(registry);
    expect(await refusalOfFetch(fetcher, { ...wanted, version })).toMatchObject({
      code: 'ANNEX_INSTALL_FAILED',
      reason: `alpha@${version}: ${hostOf(registry)} answered 404`,
    });
  });

  test('lists versions in what is no JSON', async () => {
    const registry = await openRegistry({ files: '/files' });
    const { fetcher } = openWorld(registry);
    registry.fault({ kind: 'page', body: '<html>' }, /GET \/alpha$/);
    expect(await refusalOfFetch(fetcher)).toMatchObject({ code: 'ANNEX_INSTALL_FAILED' });
  });
});

describe("npm's own cache", () => {
  const place = (home: string): string => {
    const hex = Buffer.from(integrity.slice(7), 'base64').toString('hex');
    const parts = [hex.slice(0, 2), hex.slice(2, 4), hex.slice(4)];
    return join(home, '.npm', '_cacache', 'content-v2', 'sha512', ...parts);
  };
  const fill = (home: string, bytes: Buffer): void => {
    mkdirSync(dirname(place(home)), { recursive: true });
    writeFileSync(place(home), bytes);
  };

  test('is asked first', async () => {
    const registry = await openRegistry();
    const { fetcher, home } = openWorld(registry);
    fill(home, tarball);
    expect((await fetcher.fetchTarball(wanted)).equals(tarball)).toBe(true);
    expect(registry.requests).toEqual([]);
  });

  test('is not believed', async () => {
    const registry = await openRegistry();
    const { fetcher, home } = openWorld(registry);
    fill(home, tarball.subarray(1));
    expect((await fetcher.fetchTarball(wanted)).equals(tarball)).toBe(true);
    expect(registry.requests).toHaveLength(1);
  });

  test('may hold a directory in the place of a file', async () => {
    const registry = await openRegistry();
    const { fetcher, home } = openWorld(registry);
    mkdirSync(place(home), { recursive: true });
    expect((await fetcher.fetchTarball(wanted)).equals(tarball)).toBe(true);
  });

  test('is all there is when npm is offline', async () => {
    const registry = await openRegistry();
    const { fetcher, home } = openWorld(registry, 'offline=true');
    expect(await refusalOfFetch(fetcher)).toMatchObject({
      code: 'ANNEX_OFFLINE',
      reason: 'npm is set to offline and alpha@1.0.0 is not in its cache',
    });
    fill(home, tarball);
    expect((await fetcher.fetchTarball(wanted)).equals(tarball)).toBe(true);
    expect(registry.requests).toEqual([]);
  });
});

function statusUntil(date: string): Fault {
  return { kind: 'status', status: 429, headers: { 'retry-after': date } };
}
