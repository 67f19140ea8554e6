/** If a direct fetch does not support a setting of npm, npm fetches, and the entry is identical to the byte. */

import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { readListing } from '../support/listing.ts';
import {
  copyLocks,
  listEntries,
  listStaging,
  lock,
  node,
  readLock,
} from '../support/lock-files.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { digestTree } from '../support/tree.ts';
import { openWorld } from '../support/world.ts';

const leaf = esmPackage('leaf', '1.0.0', 'leaf');
const common = dependentPackage('common', '1.2.0', 'common', { leaf: '^1.0.0' });
const alpha = esmPackage('alpha', '1.0.0', 'alpha');
const packages = [
  leaf,
  common,
  {
    ...alpha,
    files: {
      ...alpha.files,
      '.gitignore': 'dist\n',
      'template/.gitignore': 'node_modules\n',
      'template/.npmignore': 'x\n',
    },
  },
  dependentPackage(
    'kit',
    '1.0.0',
    'kit',
    { common: '^1.0.0', alpha: '^1.0.0' },
    {
      bin: './index.js',
      optionalDependencies: { elsewhere: '^1.0.0' },
      bundleDependencies: ['carried'],
    },
  ),
  esmPackage('elsewhere', '1.0.0', 'another platform', { os: ['aix'] }),
].map((pkg) =>
  pkg.name === 'kit'
    ? {
        ...pkg,
        files: {
          ...pkg.files,
          'node_modules/carried/package.json': '{"name":"carried","version":"2.0.0"}',
          'node_modules/carried/index.js': '',
        },
        manifest: {
          ...pkg.manifest,
          dependencies: { common: '^1.0.0', alpha: '^1.0.0', carried: '^2.0.0' },
        },
      }
    : pkg,
);

let locked: Sandbox;
beforeAll(async () => {
  const registry = await startRegistry(packages);
  locked = await createSandbox({ registry, node: node.path });
  ship(locked);
  await lock(locked);
  await registry.stop();
});

/** A core that ships `common` and its `leaf`. */
function ship(sandbox: Sandbox): void {
  sandbox.setCore({ features: { kit: '^1.0.0' } }, { dependencies: { common: '^1.0.0' } });
  for (const pkg of [common, leaf]) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
}

async function open() {
  const world = await openWorld({ packages, node: node.path, annex: {} });
  const { sandbox } = world;
  ship(sandbox);
  const install = async (settings: Record<string, string>, name: string) => {
    const store = join(sandbox.root, 'volume', name);
    const env = { ANNEX_STORE: store, ...settings };
    const { code, stderr } = await sandbox.annex(['install', 'kit'], { env });
    expect(code, stderr).toBe(0);
    const [entry = ''] = listEntries({ store });
    expect(listStaging({ store })).toEqual([]);
    return entry;
  };
  return { ...world, install };
}

/** Settings that only npm supports. */
const indirect = { npm_config_local_address: '127.0.0.1' };

/** A forward proxy for plain http; lists its requests. */
async function startProxy({ onTestFinished }: TestContext) {
  const seen: string[] = [];
  const server = createServer((asked, answer) => {
    seen.push(asked.url ?? '');
    const { method, headers, url = '' } = asked;
    const forwarded = request(url, { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    forwarded.on('error', () => answer.destroy());
    asked.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.concurrent(node.label, () => {
  test.for([
    ['a local address', 'local-address=127.0.0.1'],
    ['a client certificate', '//HOST/:certfile=CORE/cert.pem\n//HOST/:keyfile=CORE/cert.pem'],
  ])('from a lock, npm fetches the same bytes with %s', async ([, npmrc = '']) => {
    const { sandbox, registry, install } = await open();
    copyLocks(locked, sandbox);
    const direct = await install({}, 'direct');
    sandbox.write('app/cert.pem', 'none that counts: the registry speaks http');
    const { host } = new URL(registry.url);
    sandbox.write('app/.npmrc', npmrc.replaceAll('HOST', host).replaceAll('CORE', sandbox.core));
    registry.requests.length = 0;
    const byNpm = await install({}, 'by-npm');
    // npm requests packuments, annex does not.
    expect(registry.requests).toContain('GET /alpha');
    const files = digestTree(direct);
    expect(digestTree(byNpm)).toEqual(files);
    expect(Object.keys(files)).toContain('node_modules/kit/node_modules/carried/index.js');
    // A shared package is a link, for threads without hooks.
    const paths = Object.keys(files).filter((path) => /common|leaf|elsewhere/.test(path));
    expect(paths).toEqual(['node_modules/common']);
    const { files: listed } = readListing(byNpm);
    expect(Object.keys(listed).join()).toMatch(/node_modules\/alpha\/\.\w+ignore/);
  });

  test('without a lock, npm fetches as well', async () => {
    const { install } = await open();
    const direct = await install({}, 'direct');
    const byNpm = await install(indirect, 'by-npm');
    expect(digestTree(byNpm)).toEqual(digestTree(direct));
  });

  test('a lock is the same with either way of fetching', async () => {
    const { sandbox } = await open();
    const { code, stderr } = await sandbox.annex(['lock'], { env: indirect });
    expect(code, stderr).toBe(0);
    const { sidecar: one, packages: first } = readLock(sandbox, 'kit');
    const { sidecar: other, packages: second } = readLock(locked, 'kit');
    expect([{ ...one, made: undefined }, first]).toEqual([{ ...other, made: undefined }, second]);
  });

  test('with a proxy, every request goes through it', async (context) => {
    const { registry, install } = await open();
    const proxy = await startProxy(context);
    const entry = await install({ npm_config_proxy: proxy.url }, 'proxied');
    expect(entry).not.toBe('');
    expect(proxy.seen.length).toBeGreaterThan(2);
    expect(proxy.seen).toHaveLength(registry.requests.length);
  });

  test('a tarball with other bytes is refused as well', async () => {
    const { sandbox, registry } = await open();
    copyLocks(locked, sandbox);
    registry.fault({ kind: 'wrong-digest' }, /alpha.*\.tgz$/);
    const env = { ANNEX_STORE: sandbox.store, ...indirect };
    const { code, stderr } = await sandbox.annex(['install', 'kit'], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/kit unavailable \(ANNEX_INTEGRITY\): .*alpha/);
    expect(listEntries(sandbox)).toEqual([]);
    expect(listStaging(sandbox)).toEqual([]);
  });
});
