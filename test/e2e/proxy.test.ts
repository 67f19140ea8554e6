/** Fetches through a real proxy on loopback, under each Node whose agents support it. */
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readNpmSettings } from '../../src/registry/npm-settings.ts';
import { makeCertificate } from '../support/certificate.ts';
import { alpha, integrity, SECRET } from '../support/fetching.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { type LoopbackProxy, startProxy } from '../support/proxy.ts';
import { type Registry, type RegistryOptions, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** Runs the sources themselves, because these versions of Node run TypeScript. */
const probe = `
const root = ${JSON.stringify(repositoryRoot)};
const { createFetcher } = await import(root + '/src/registry/fetch.ts');
const { readNpmSettings } = await import(root + '/src/registry/npm-settings.ts');
const { HOME, https_proxy, no_proxy } = process.env;
const env = Object.fromEntries(Object.entries({ HOME, https_proxy, no_proxy }).filter(([, value]) => value));
const fetcher = createFetcher(readNpmSettings(process.cwd(), env), AbortSignal.timeout(30_000), process.cwd());
const wanted = { name: 'alpha', version: '1.0.0', integrity: ${JSON.stringify(integrity)} };
const one = () => fetcher.fetchTarball(wanted).then(({ tarball }) => tarball.length, ({ refusal }) => refusal);
const results = [await one(), ...(await Promise.all([one(), one()]))];
fetcher.close();
console.log(JSON.stringify(results));
`;

const isDirect = (label: string): boolean => {
  const settings = readNpmSettings('/none', { https_proxy: 'http://p:1' }, label.slice(1));
  return settings.indirect('http://registry.example/') === undefined;
};

interface World {
  sandbox: Sandbox;
  registry: Registry;
  proxy: LoopbackProxy;
  /** The registry's `host:port`. */
  host: string;
}

async function openWorld(options?: RegistryOptions): Promise<World> {
  const registry = await startRegistry([alpha], options);
  const proxy = await startProxy(`me:${SECRET}@`);
  onTestFinished(() => proxy.stop());
  const sandbox = await createSandbox({ linkAnnex: false });
  sandbox.write('probe.mts', probe);
  return { sandbox, registry, proxy, host: new URL(registry.url).host };
}

describe.each(nodes.filter(({ label }) => isDirect(label)))('$label', ({ path: node }) => {
  const run = async (
    { sandbox, registry }: World,
    npmrc: string[],
    env = {},
  ): Promise<unknown[]> => {
    const lines = [`registry=${registry.url}`, 'fetch-retry-mintimeout=1', ...npmrc];
    sandbox.write('app/.npmrc', lines.join('\n'));
    const args = ['--experimental-strip-types', '--no-warnings', join(sandbox.root, 'probe.mts')];
    const { stdout, stderr } = await sandbox.run(args, { node, env });
    expect(stdout + stderr).not.toContain(SECRET);
    return JSON.parse(stdout) as unknown[];
  };
  const size = expect.any(Number) as number;
  const login = `me:${SECRET}%40`;

  test('http goes through the proxy, with its password', async () => {
    const world = await openWorld();
    const { proxy, host } = world;
    expect(await run(world, [`proxy=http://${login}@${proxy.host}`])).toEqual([size, size, size]);
    const asked = `GET http://${host}/alpha/-/alpha-1.0.0.tgz`;
    expect(proxy.requests).toEqual([asked, asked, asked]);
  });

  test('https goes through a tunnel, and the certificate is checked in it', async () => {
    const tls = makeCertificate();
    const world = await openWorld({ tls });
    const { sandbox, proxy, registry, host } = world;
    const setting = `https-proxy=http://${login}@${proxy.host}`;
    sandbox.write('app/ca.pem', tls.cert);
    expect(await run(world, [setting, 'cafile=ca.pem'])).toEqual([size, size, size]);
    expect(new Set(proxy.requests)).toEqual(new Set([`CONNECT ${host}`]));
    expect(registry.requests).toHaveLength(3);

    const [refusal] = await run(world, [setting]);
    expect(refusal).toMatchObject({ hint: expect.stringContaining('cafile') });
    expect(registry.requests).toHaveLength(3);
  });

  test('only the registry gets its token, not the proxy', async () => {
    const world = await openWorld({ tls: makeCertificate() });
    const { proxy, registry, host } = world;
    const token = `//${host}/:_authToken=t0ken`;
    await run(world, [`proxy=http://${login}@${proxy.host}`, token, 'strict-ssl=false']);
    expect(registry.authorizations).toEqual(Array(3).fill('Bearer t0ken'));
    expect(proxy.requests.length).toBeGreaterThan(0);
  });

  test('the proxy of the environment is used, with its exceptions', async () => {
    const world = await openWorld();
    const { proxy, registry } = world;
    const env = { https_proxy: `http://${login}@${proxy.host}` };
    expect(await run(world, [], env)).toEqual([size, size, size]);
    expect(proxy.requests).toHaveLength(3);
    expect(await run(world, [], { ...env, no_proxy: '127.0.0.1' })).toEqual([size, size, size]);
    expect(proxy.requests).toHaveLength(3);
    expect(registry.requests).toHaveLength(6);
  });

  test.each([false, true])('a wrong password is reported, https: %s', async (isSecure) => {
    const world = await openWorld(isSecure ? { tls: makeCertificate() } : {});
    const { proxy, registry, host } = world;
    const [refusal] = await run(world, [`proxy=http://me:wrong@${proxy.host}`]);
    expect(refusal).toEqual({
      code: 'ANNEX_INSTALL_FAILED',
      reason: `registry ${host} (through the proxy ${proxy.host}) answered 407 for alpha@1.0.0`,
      hint: 'set the credentials of the proxy in https-proxy in an .npmrc',
    });
    expect(registry.requests).toEqual([]);
  });

  test.each([false, true])('an unreachable proxy is named, https: %s', async (isSecure) => {
    const world = await openWorld(isSecure ? { tls: makeCertificate() } : {});
    const { proxy, registry, host } = world;
    await proxy.stop();
    const [refusal] = await run(world, [`proxy=http://${login}@${proxy.host}`]);
    expect(refusal).toMatchObject({
      code: 'ANNEX_OFFLINE',
      reason: `registry ${host} (through the proxy ${proxy.host}) cannot be reached (ECONNREFUSED)`,
    });
    expect(registry.requests).toEqual([]);
  });
});

/** Behaviour of Node's own agent with a proxy, without code of annex. */
const ask = `
const { Agent, createServer, get } = require('node:http');
const proxy = createServer((request, response) => response.end('proxy'));
proxy.listen(0, '127.0.0.1', () => {
  const HTTP_PROXY = 'http://127.0.0.1:' + proxy.address().port;
  const say = (text) => { console.log(text); process.exit(); };
  get('http://127.0.0.1:1/', { agent: new Agent({ proxyEnv: { HTTP_PROXY } }) }, () => say('proxy'))
    .on('error', () => say('direct'));
});
`;

test.each(nodes)(
  'the agents of $label support a proxy exactly if annex expects it',
  async ({ label, path }) => {
    const sandbox = await createSandbox({ linkAnnex: false });
    const { stdout } = await sandbox.run(['-e', ask], { node: path });
    expect(stdout).toBe(isDirect(label) ? 'proxy\n' : 'direct\n');
  },
);
