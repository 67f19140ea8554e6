/** G5: registries that place tarballs elsewhere: the lock names no host, and the tarball is found again. */
import type { ServerResponse } from 'node:http';
import { describe, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, writeImporter } from '../support/importer.ts';
import { copyLocks, LOCK_FILES, listEntries, lock, readLock } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import {
  type Strangeness,
  type StrangeRegistry,
  startStrangeRegistry,
} from '../support/strange-registry.ts';

const sdk = esmPackage('@corp/sdk', '1.0.0', 'sdk');
const alpha = esmPackage('alpha', '1.0.0', 'alpha');
const features = { sdk: { packages: { '@corp/sdk': '^1.0.0' } } };

const place = ({ name, version }: PackageFixture): string =>
  `/download/${name}/${version}/0123abcd`;
const answer =
  (status: number, headers: Record<string, string> = {}) =>
  (_: unknown, response: ServerResponse): void =>
    void response.writeHead(status, headers).end('<html>no such thing</html>');

/** Behaviour of these registries: the URL of tarballs, and the response to a wrong URL. */
const REGISTRIES: Record<string, Strangeness> = {
  'GitHub Packages': { place, otherwise: answer(405) },
  'GitLab, for a project': {
    base: '/api/v4/projects/7/packages/npm/',
    place: ({ name, version }) =>
      `/api/v4/projects/7/packages/npm/${name}/-/${name}-${version}.tgz`,
    otherwise: answer(403),
  },
  Artifactory: {
    base: '/artifactory/api/npm/npm-local/',
    place: ({ name, version }) => `/artifactory/api/npm/npm-local/${name}/-/${name}-${version}.tgz`,
    otherwise: answer(400),
  },
  'a registry whose files are beside it': {
    base: '/npm/',
    place: ({ name, version }) => `/files/${name.replace('/', '-')}-${version}.tgz`,
    otherwise: answer(401),
  },
  Verdaccio: { place: ({ name, version }) => `/${name}/-/sdk-${version}.tgz` },
};

/** Responses to a guessed URL. */
const ANSWERS: Record<string, NonNullable<Strangeness['otherwise']>> = {
  '400': answer(400),
  '401': answer(401),
  '403': answer(403),
  '404': answer(404),
  '405': answer(405),
  '410': answer(410),
  '500': answer(500),
  '503': answer(503),
  'a page': answer(200, { 'content-type': 'text/html' }),
  'a redirect to a host that is not reachable': answer(302, { location: 'http://127.0.0.1:9/x' }),
  'a redirect to a host without a name': answer(302, { location: 'http://no.such.invalid/x' }),
  'a redirect without an end': answer(302, { location: '/x' }),
};

const open = async (
  node: string,
  scoped: StrangeRegistry,
): Promise<{ sandbox: Sandbox; usual: StrangeRegistry; env: Record<string, string> }> => {
  const usual = await startStrangeRegistry([alpha]);
  const sandbox = await createSandbox({ node });
  sandbox.write('app/.npmrc', `registry=${usual.url}\n@corp:registry=${scoped.url}\n`);
  sandbox.setCore({ features });
  writeImporter(sandbox);
  const env = { ANNEX_STORE: sandbox.store, npm_config_fetch_retry_mintimeout: '1' };
  return { sandbox, usual, env };
};

describe.concurrent.each(outerNodes)('$label', ({ path: node }) => {
  const start = (strangeness: Strangeness): Promise<StrangeRegistry> =>
    startStrangeRegistry([sdk], strangeness);

  test.for(Object.entries(REGISTRIES))(
    '%s: one request for a tarball',
    async ([, way], { expect }) => {
      const registry = await start(way);
      const { sandbox, usual, env } = await open(node, registry);
      await lock(sandbox);
      const first = readLock(sandbox, 'sdk');
      for (const text of Object.values(first.texts))
        expect(text).not.toMatch(/127\.0\.0\.1|resolved/);
      await lock(sandbox);
      for (const name of LOCK_FILES)
        expect(readLock(sandbox, 'sdk').texts[name]).toBe(first.texts[name]);
      registry.requests.length = 0;
      const { imported } = await importIn(sandbox, ['@corp/sdk'], { env });
      expect(imported['@corp/sdk']?.marker).toBe('sdk');
      expect(registry.requests).toHaveLength(1);
      expect(usual.requests.filter((line) => line.includes('corp'))).toEqual([]);
    },
  );

  test.for(Object.entries(ANSWERS))(
    'the tarball is found after a guessed URL that gets %s',
    async ([, otherwise], { expect }) => {
      const conventional = await start({});
      const { sandbox, env } = await open(node, conventional);
      await lock(sandbox);
      const registry = await start({ place, otherwise });
      const other = await open(node, registry);
      copyLocks(sandbox, other.sandbox);
      const store = { ...env, ANNEX_STORE: other.sandbox.store };
      const { imported } = await importIn(other.sandbox, ['@corp/sdk'], { env: store });
      expect(imported['@corp/sdk']?.marker).toBe('sdk');
      expect(registry.requests.at(-1)).toBe('GET /download/@corp/sdk/1.0.0/0123abcd');
      expect(other.usual.requests).toEqual([]);
    },
  );

  test('a place is searched for on the configured registry, and on no other host', async ({
    expect,
  }) => {
    const registry = await start({ place });
    const { sandbox, env } = await open(node, registry);
    await lock(sandbox);
    const mirror = await start({});
    const other = await open(node, mirror);
    copyLocks(sandbox, other.sandbox);
    registry.requests.length = 0;
    const store = { ...env, ANNEX_STORE: other.sandbox.store };
    const { imported } = await importIn(other.sandbox, ['@corp/sdk'], { env: store });
    expect(imported['@corp/sdk']?.marker).toBe('sdk');
    expect(registry.requests).toEqual([]);
    expect(other.usual.requests).toEqual([]);
  });

  test('a new version from the default registry, once its scope has lost its own, is from another source', async ({
    expect,
  }) => {
    const { sandbox, env } = await open(node, await start({}));
    await lock(sandbox);
    const impostor = esmPackage('@corp/sdk', '1.9.0', 'impostor');
    const { url } = await startStrangeRegistry([alpha, impostor]);
    sandbox.write('app/.npmrc', `registry=${url}\n`);
    const { stdout } = await sandbox.annex(['update', '--dry-run'], { env });
    expect(stdout.split('\n').slice(1)).toEqual([
      '  @corp/sdk 1.0.0 -> 1.9.0; another source: @corp/sdk',
      '  changed @corp/sdk 1.0.0 -> 1.9.0 (no longer at a recorded place: check its registry in .npmrc)',
      '',
    ]);
  });

  test('without a registry for its scope a private name is not sent to any host', async ({
    expect,
  }) => {
    for (const way of [{ place }, {}]) {
      const registry = await start(way);
      const { sandbox, env } = await open(node, registry);
      await lock(sandbox);
      // npm's default, and a proxy that would see every request.
      const proxy = await start({});
      sandbox.write('app/.npmrc', `https-proxy=${proxy.url}\n`);
      const { imported } = await importIn(sandbox, ['@corp/sdk'], { env });
      const reason =
        /locked from another registry than the default one, and none is configured for it here/;
      expectRefused(imported['@corp/sdk'], 'ANNEX_INSTALL_FAILED', reason);
      expect(imported['@corp/sdk']?.cause?.hint).toContain('@corp:registry=URL');
      expect(proxy.requests).toEqual([]);
      expect(listEntries(sandbox)).toEqual([]);
    }
  });

  test.for(['//127.0.0.1:9/x', 'http://127.0.0.1:9/x', 'file:///etc/passwd', '\\\\127.0.0.1:9\\x'])(
    'a place on another host, %s, is not used',
    async (evil, { expect }) => {
      const registry = await start({ place });
      const { sandbox, env } = await open(node, registry);
      await lock(sandbox);
      const { sidecar } = readLock(sandbox, 'sdk');
      const [path = '', record] = Object.entries(sidecar.packages)[0] ?? [];
      const packages = { [path]: { ...(record as object), place: evil } };
      sandbox.write('app/annex/sdk/annex.json', { ...sidecar, packages });
      registry.requests.length = 0;
      const { imported } = await importIn(sandbox, ['@corp/sdk'], { env });
      expect(imported['@corp/sdk']?.marker).toBe('sdk');
      expect(registry.requests).toEqual([
        'GET /@corp/sdk/-/sdk-1.0.0.tgz',
        'GET /@corp%2fsdk',
        'GET /download/@corp/sdk/1.0.0/0123abcd',
      ]);
    },
  );
});
