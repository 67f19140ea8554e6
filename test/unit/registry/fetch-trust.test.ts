/** Which hosts get which credentials when tarballs are fetched, and which certificates are trusted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Certificate, makeCertificate } from '../../support/certificate.ts';
import {
  hostOf,
  openFetcher,
  openRegistry,
  refuseFetch,
  SECRET,
  tarball,
  wanted,
} from '../../support/fetching.ts';
import type { Fault } from '../../support/registry.ts';

const redirect = (location: string, status = 302): Fault => ({
  kind: 'status',
  status,
  headers: { location },
});
const tgz = /alpha-1\.0\.0\.tgz$/;

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('of status %i is followed', async (status) => {
    const registry = await openRegistry();
    const other = await openRegistry();
    const { fetcher } = openFetcher(registry);
    registry.fault(redirect(`${other.url}/alpha/-/alpha-1.0.0.tgz`, status));
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
  });

  test('sends no token to another host', async () => {
    const registry = await openRegistry();
    const other = await openRegistry();
    const { fetcher } = openFetcher(registry, `//${hostOf(registry)}/:_authToken=${SECRET}`);
    registry.fault(redirect(`${other.url}/alpha/-/alpha-1.0.0.tgz`));
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(registry.authorizations).toEqual([`Bearer ${SECRET}`]);
    expect(other.requests).toEqual(['GET /alpha/-/alpha-1.0.0.tgz']);
    expect(other.authorizations).toEqual([undefined]);
  });

  test('sends no password of a URL to another host', async () => {
    const registry = await openRegistry();
    const other = await openRegistry();
    const signed = registry.url.replace('//', `//me:${SECRET}@`);
    const { fetcher } = openFetcher({ ...registry, url: signed });
    registry.fault(redirect(`//${hostOf(other)}/alpha/-/alpha-1.0.0.tgz`));
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(registry.authorizations).toEqual([expect.stringMatching(/^Basic /)]);
    expect(other.authorizations).toEqual([undefined]);
  });

  test('to the same host may be relative, and sends the token again', async () => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry, `//${hostOf(registry)}/:_authToken=${SECRET}`);
    registry.fault({ ...redirect('../-/alpha-1.0.0.tgz'), times: 1 });
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(registry.authorizations).toEqual([`Bearer ${SECRET}`, `Bearer ${SECRET}`]);
  });

  test('is followed five times', async () => {
    const registry = await openRegistry();
    const { fetcher } = openFetcher(registry);
    registry.fault({ ...redirect('/alpha/-/alpha-1.0.0.tgz'), times: 5 });
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    registry.fault(redirect('/alpha/-/alpha-1.0.0.tgz'));
    expect(await refuseFetch(fetcher)).toMatchObject({
      code: 'ANNEX_INSTALL_FAILED',
      reason: `registry ${hostOf(registry)} redirects too often (alpha@1.0.0)`,
    });
  });

  test.each(['file:///etc/passwd', 'http://[', 'ftp://127.0.0.1/alpha.tgz'])(
    'to %s is not followed',
    async (location) => {
      const registry = await openRegistry();
      const { fetcher } = openFetcher(registry);
      registry.fault(redirect(location));
      expect(await refuseFetch(fetcher)).toMatchObject({ code: 'ANNEX_INSTALL_FAILED' });
    },
  );

  test('from https to http is not followed', async () => {
    const tls = makeCertificate();
    const registry = await openRegistry({ tls });
    const other = await openRegistry();
    const { fetcher } = openFetcher(registry, 'strict-ssl=false');
    registry.fault(redirect(`${other.url}/alpha/-/alpha-1.0.0.tgz`));
    expect(await refuseFetch(fetcher)).toMatchObject({
      reason: `registry ${hostOf(registry)} redirects from https to http (alpha@1.0.0)`,
    });
    expect(other.requests).toEqual([]);
  });
});

describe('a token', () => {
  test.each([401, 403, 404, 500])('is in no message about a status of %i', async (status) => {
    const registry = await openRegistry();
    const signed = registry.url.replace('//', `//me:${SECRET}@`);
    const { fetcher } = openFetcher(
      { ...registry, url: signed },
      `//${hostOf(registry)}/:_authToken=${SECRET}`,
    );
    registry.fault({ kind: 'status', status });
    expect((await refuseFetch(fetcher)).reason).toContain(`answered ${status}`);
    expect(registry.authorizations[0]).toBe(`Bearer ${SECRET}`);
  });

  test('is sent to the tarball URL of a packument on the same host', async () => {
    const registry = await openRegistry({ base: '/npm', files: '/files' });
    const { fetcher } = openFetcher(registry, `//${hostOf(registry)}/npm/:_authToken=${SECRET}`);
    await fetcher.fetchTarball(wanted);
    expect(registry.authorizations).toEqual(Array(3).fill(`Bearer ${SECRET}`));
  });

  test('is not sent to the tarball URL of a packument on another host', async () => {
    const registry = await openRegistry();
    const other = await openRegistry();
    const { fetcher } = openFetcher(registry, `//${hostOf(registry)}/:_authToken=${SECRET}`);
    const dist = { tarball: `${other.url}/alpha/-/alpha-1.0.0.tgz` };
    registry.fault({ kind: 'page', body: JSON.stringify({ versions: { '1.0.0': { dist } } }) });
    registry.fault({ kind: 'status', status: 404 }, tgz);
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
    expect(registry.authorizations).toEqual([`Bearer ${SECRET}`, `Bearer ${SECRET}`]);
    expect(other.authorizations).toEqual([undefined]);
  });

  test('is not sent to the tarball URL of a packument without https', async () => {
    const registry = await openRegistry({ tls: makeCertificate() });
    const token = `//${hostOf(registry)}/:_authToken=${SECRET}`;
    const { fetcher } = openFetcher(registry, `strict-ssl=false\n${token}`);
    const dist = { tarball: `http://${hostOf(registry)}/alpha/-/alpha-1.0.0.tgz` };
    registry.fault({ kind: 'page', body: JSON.stringify({ versions: { '1.0.0': { dist } } }) });
    registry.fault({ kind: 'status', status: 404 }, tgz);
    expect(await refuseFetch(fetcher)).toMatchObject({
      code: 'ANNEX_INSTALL_FAILED',
      reason: `registry ${hostOf(registry)} lists an address without https (alpha@1.0.0)`,
    });
    expect(registry.requests).toHaveLength(2);
  });
});

describe('a self-signed certificate', () => {
  const inline = ({ cert }: Certificate): string => `ca="${cert.trim().replaceAll('\n', '\\n')}"`;

  test.each<[string, (tls: Certificate) => string]>([
    ['named by ca', inline],
    [
      'one of a list',
      (tls) =>
        `${inline(makeCertificate()).replace('ca', 'ca[]')}\n${inline(tls).replace('ca', 'ca[]')}`,
    ],
    ['not asked for', () => 'strict-ssl=false'],
  ])('is trusted when it is %s', async (_, npmrc) => {
    const tls = makeCertificate();
    const registry = await openRegistry({ tls });
    const { fetcher } = openFetcher(registry, npmrc(tls));
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
  });

  test('is trusted when it is in the cafile, also with a path relative to the core', async () => {
    const tls = makeCertificate();
    const registry = await openRegistry({ tls });
    const { fetcher, home } = openFetcher(registry, 'cafile=./ca.pem');
    writeFileSync(join(home, 'ca.pem'), `${makeCertificate().cert}${tls.cert}`);
    expect((await fetcher.fetchTarball(wanted)).tarball.equals(tarball)).toBe(true);
  });

  test.each<[string, (tls: Certificate) => string]>([
    ['no setting trusts it', () => ''],
    ['the cafile is missing', () => 'cafile=/not/there.pem'],
    ['ca is no certificate', () => 'ca=nonsense'],
    ['another is', () => inline(makeCertificate())],
    ['strict-ssl is a word', () => 'strict-ssl=no'],
    ['strict-ssl is null', () => 'strict-ssl=null'],
  ])('is not trusted when %s', async (_, npmrc) => {
    const tls = makeCertificate();
    const registry = await openRegistry({ tls });
    const { fetcher } = openFetcher(registry, npmrc(tls));
    const refusal = await refuseFetch(fetcher);
    expect(refusal).toMatchObject({
      code: 'ANNEX_OFFLINE',
      hint: expect.stringContaining('cafile'),
    });
    expect(refusal.reason).toContain(`${hostOf(registry)} has a certificate that is not trusted`);
    expect(registry.requests).toEqual([]);
  });

  test('is not trusted for another host name', async () => {
    const tls = makeCertificate('DNS:other.example');
    const registry = await openRegistry({ tls });
    const { fetcher } = openFetcher(registry, inline(tls));
    const { reason, hint } = await refuseFetch(fetcher);
    expect(reason).toContain('not trusted (ERR_TLS_CERT_ALTNAME_INVALID)');
    expect(hint).toBe('set the registry to a host that its certificate names');
  });
});
