/** Requests to a registry with a request limit, for each way to supply ten pods. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../../examples/immutable-image/test/support/podman.ts';
import { closeLater } from '../support/close.ts';
import { listBlocks, readDocument } from '../support/documents.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { findPort } from '../support/free-port.ts';
import { startLimitedRegistry } from '../support/limited-registry.ts';
import { findProgram } from '../support/programs.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const PODS = Number(process.env.ANNEX_TEST_PODS ?? 10);
const hasNginx = findProgram('nginx') !== undefined;
const why = hasNginx ? '' : ' (skipped: nginx is not installed)';

/** Starts nginx with the cache of the page "Fleets". */
async function startCache(dir: string, registry: string): Promise<string> {
  const blocks = listBlocks(readDocument('docs/fleets.md'));
  const { code = '' } = blocks.find(({ language }) => language === 'nginx') ?? {};
  const port = await findPort();
  const server = code
    .replace('/var/cache/nginx', join(dir, 'cache'))
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replaceAll('https://registry.npmjs.org', registry.replace(/[/]$/, ''));
  const config = join(dir, 'nginx.conf');
  const head = `user root; daemon off; pid ${dir}/pid; events {}`;
  writeFileSync(config, `${head}\nhttp { access_log off;\n${server}\n}`);
  const child = spawn('nginx', ['-c', config, '-e', join(dir, 'error.log')], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  closeLater(() => {
    child.kill();
    return ended;
  });
  const url = `http://127.0.0.1:${port}/`;
  await until('the cache answers', async () => (await fetch(url)).status < 500);
  return url;
}

/** A locked application with a closure of five packages, and its registry. */
async function openFleet() {
  const names = ['a', 'b', 'c', 'd'].map((name) => `part-${name}`);
  const ranges = Object.fromEntries(names.map((name) => [name, '^1.0.0']));
  const kit = dependentPackage('kit', '1.0.0', 'kit', ranges);
  const parts = names.map((name) => esmPackage(name, '1.0.0', name));
  const registry = await startLimitedRegistry([kit, ...parts]);
  const sandbox = await createSandbox();
  sandbox.setCore({ features: { kit: '^1.0.0' } });
  const env = { npm_config_registry: registry.url };
  const locked = await sandbox.annex(['lock'], { env });
  expect(locked.code, locked.stderr).toBe(0);
  const limit = () =>
    registry.limit({ rate: 5, burst: 20, retryAfter: 2, latency: 200, bandwidth: 100_000 });
  return { registry, sandbox, env, limit };
}

/** Requests the feature in each pod at the same time. */
async function start(sandbox: Sandbox, env: (dir: string) => NodeJS.ProcessEnv): Promise<void> {
  const program = sandbox.write('app/pod.mjs', `console.log((await import('kit')).marker)`);
  const runs = await Promise.all(
    Array.from({ length: PODS }, (_, pod) => {
      const dir = join(sandbox.root, `pod-${pod}`);
      mkdirSync(dir);
      const own = { ANNEX_STORE: join(dir, 'store'), npm_config_cache: join(dir, 'cache') };
      return sandbox.run(['--import', sandbox.loader, program], { env: { ...own, ...env(dir) } });
    }),
  );
  expect(runs.filter(({ stdout }) => stdout !== 'kit\n').map(({ stderr }) => stderr)).toEqual([]);
}

describe(`${PODS} pods`, () => {
  test('a layer: no requests', async () => {
    const { registry, sandbox, env, limit } = await openFleet();
    const layer = join(sandbox.root, 'layer');
    expect((await sandbox.annex(['bake', layer], { env })).code).toBe(0);
    limit();
    await start(sandbox, (dir) => ({ ANNEX_STORE: `${join(dir, 'store')}:${layer}`, ...env }));
    expect(registry.asked).toEqual([]);
  });

  test.runIf(hasNginx)(`a cache in front of the registry: one for each tarball${why}`, async () => {
    const { registry, sandbox, limit } = await openFleet();
    const env = { npm_config_registry: await startCache(sandbox.root, registry.url) };
    limit();
    await start(sandbox, () => env);
    const paths = registry.asked.map(({ path }) => path);
    expect([new Set(paths).size, paths.length]).toEqual([5, 5]);
  });

  test('a shared store: one for each tarball', async () => {
    const { registry, sandbox, env, limit } = await openFleet();
    limit();
    await start(sandbox, () => ({ ...env, ANNEX_STORE: join(sandbox.root, 'shared') }));
    const paths = registry.asked.map(({ path }) => path);
    expect([new Set(paths).size, paths.length]).toEqual([5, 5]);
  });
});
