/** Where a locked tarball is searched for: npm's cache, and the URLs that registries have for it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { placeUrl } from '../../../src/registry/tarball-url.ts';
import {
  beta,
  hostOf,
  integrity,
  openFetcher,
  openRegistry,
  refuseFetch,
  tarball,
  wanted,
} from '../../support/fetching.ts';
import { packFixture } from '../../support/package.ts';

describe('a registry with its own URLs', () => {
  test('is asked for the URL of the tarball', async () => {
    const registry = await openRegistry({ base: '/api/npm', files: '/files' });
    const { fetcher } = openFetcher(registry);
    const packed = packFixture(beta);
    const named = { name: '@acme/beta', version: '2.0.0', integrity: packed.integrity };
    expect((await fetcher.fetchTarball(named)).tarball.equals(packed.tarball)).toBe(true);
    expect(registry.requests).toEqual([
      'GET /api/npm/@acme/beta/-/beta-2.0.0.tgz',
      'GET /api/npm/@acme/beta',
      'GET /api/npm/files/@acme/beta/-/beta-2.0.0.tgz',
    ]);
  });

  test.each(['9.9.9', 'toString', '__proto__'])('does not have version %s', async (version) => {
    const registry = await openRegistry({ files: '/files' });
    const { fetcher } = openFetcher(registry);
    expect(await refuseFetch(fetcher, { ...wanted, version })).toMatchObject({
      code: 'ANNEX_INSTALL_FAILED',
      reason: `registry ${hostOf(registry)} answered 404 for alpha@${version}`,
    });
  });

  test('may answer with invalid JSON', async () => {
    const registry = await openRegistry({ files: '/files' });
    const { fetcher } = openFetcher(registry);
    registry.fault({ kind: 'page', body: '<html>' }, /GET \/alpha$/);
    expect(await refuseFetch(fetcher)).toMatchObject({ code: 'ANNEX_INSTALL_FAILED' });
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
    const { fetcher, home } = openFetcher(registry);
    fill(home, tarball);
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(registry.requests).toEqual([]);
  });

  test('is not trusted', async () => {
    const registry = await openRegistry();
    const { fetcher, home } = openFetcher(registry);
    fill(home, tarball.subarray(1));
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(registry.requests).toHaveLength(1);
  });

  test('may hold a directory in place of a file', async () => {
    const registry = await openRegistry();
    const { fetcher, home } = openFetcher(registry);
    mkdirSync(place(home), { recursive: true });
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
  });

  test('is the only source when npm is offline', async () => {
    const registry = await openRegistry();
    const other = openFetcher(registry, 'offline=true');
    expect(await refuseFetch(other.fetcher)).toMatchObject({
      code: 'ANNEX_OFFLINE',
      reason: 'npm is set to offline and alpha@1.0.0 is not in its cache',
    });
    const { fetcher, home } = openFetcher(registry, 'offline=true');
    fill(home, tarball);
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(registry.requests).toEqual([]);
  });
});

describe('a URL from a lock', () => {
  const own = 'https://corp.example:8443/api/npm/';
  test.each([
    [
      'https://registry.npmjs.org/a/-/a-1.0.0.tgz',
      'npmjs',
      'https://corp.example:8443/api/npm/a/-/a-1.0.0.tgz',
    ],
    [
      'https://registry.npmjs.org/api/npm/a.tgz',
      'npmjs',
      'https://corp.example:8443/api/npm/a.tgz',
    ],
    ['https://registry.npmjs.org/a.tgz', 'never', 'https://registry.npmjs.org/a.tgz'],
    ['https://other.example/a.tgz', 'npmjs', 'https://other.example/a.tgz'],
    ['https://other.example/a.tgz', 'always', 'https://corp.example:8443/api/npm/a.tgz'],
    ['https://other.example/a.tgz', 'other.example', 'https://corp.example:8443/api/npm/a.tgz'],
    [
      'https://other.example/old/a.tgz',
      'https://other.example/old',
      'https://corp.example:8443/api/npm/a.tgz',
    ],
    [
      'https://other.example/older/a.tgz',
      'https://other.example/old',
      'https://other.example/older/a.tgz',
    ],
    ['https://other.example/a.tgz?x=1', 'always', 'https://corp.example:8443/api/npm/a.tgz?x=1'],
  ])('%s under %s is %s', (resolved, rule, expected) => {
    expect(placeUrl(resolved, own, rule)).toBe(expected);
  });

  test.each(['file:///etc/passwd', 'git+ssh://git@host.example/a.git', 'data:,x'])(
    '%s is not fetched',
    async (resolved) => {
      const registry = await openRegistry();
      const { fetcher } = openFetcher(registry);
      expect(await refuseFetch(fetcher, { ...wanted, resolved })).toMatchObject({
        code: 'ANNEX_INSTALL_FAILED',
        reason: 'the registry has an address that is not an http or https URL (alpha@1.0.0)',
      });
    },
  );

  test('is not used when the configured registry is not a URL', async () => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry, 'registry=nonsense');
    const resolved = 'https://registry.npmjs.org/alpha/-/alpha-1.0.0.tgz';
    const expected = { reason: expect.stringContaining('not an http or https URL') };
    expect(await refuseFetch(fetcher, { ...wanted, resolved })).toMatchObject(expected);
    expect(await refuseFetch(fetcher)).toMatchObject(expected);
  });
});
