/** Installers with stores of their own, as pods have them, share the request limit of a registry. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { type Limit, startLimitedRegistry } from '../support/limited-registry.ts';
import { createSandbox } from '../support/sandbox.ts';

const NAMES = ['a', 'b', 'c', 'd'].map((name) => `part-${name}`);
const ranges = Object.fromEntries(NAMES.map((name) => [name, '^1.0.0']));
const packages = [
  ...NAMES.map((name) => esmPackage(name, '1.0.0', name)),
  dependentPackage('kit', '1.0.0', 'kit', ranges),
];
const TARBALLS = packages.length;

const LIMIT: Limit = { rate: 5, burst: 20, retryAfter: 2, latency: 200, bandwidth: 100_000 };

/** Locks an application, and installs it once in each pod at the same time. */
async function installInPods(pods: number, limit: Limit, failsFor = 0) {
  const registry = await startLimitedRegistry(packages);
  const sandbox = await createSandbox();
  const env = { npm_config_registry: registry.url };
  sandbox.setCore({ features: { kit: '^1.0.0' } });
  expect((await sandbox.annex(['lock'], { env })).code).toBe(0);
  registry.limit(limit, failsFor);
  const runs = await Promise.all(
    Array.from({ length: pods }, async (_, pod) => {
      const dir = join(sandbox.root, `pod-${pod}`);
      mkdirSync(dir);
      const own = {
        ANNEX_STORE: join(dir, 'store'),
        npm_config_cache: join(dir, 'cache'),
        npm_config_user_agent: `pod-${pod}`,
        // npm's default: the sandbox has a shorter one.
        npm_config_fetch_retry_mintimeout: undefined,
      };
      return sandbox.annex(['install', 'kit'], { env: { ...env, ...own } });
    }),
  );
  expect(runs.filter(({ code }) => code !== 0).map(({ stderr }) => stderr)).toEqual([]);
  const { asked } = registry;
  const first = Math.min(...asked.map(({ at }) => at));
  const latest = Math.max(...asked.map(({ at }) => at));
  const failing = asked.filter(({ status }) => status === 503).length;
  const seconds = (latest - first) / 1_000;
  expect(registry.listEarly()).toEqual([]);
  return { seconds, requests: asked.length, failing };
}

const PODS = 50;
/** Seconds until a limit has given a token for each tarball. */
const leastOf = ({ rate, burst }: Limit, pods: number): number => (pods * TARBALLS - burst) / rate;

test('50 of 50 are ready in 1.3 times the least time, with few requests more than tarballs', async () => {
  const { seconds, requests } = await installInPods(PODS, LIMIT);
  expect(seconds).toBeLessThanOrEqual(1.3 * leastOf(LIMIT, PODS));
  // Chance adds to the 1.2 that `pace.test.ts` shows in virtual time.
  expect(requests).toBeLessThanOrEqual(1.25 * PODS * TARBALLS);
});

test('50 of 50 are ready after the registry has failed for a minute', async () => {
  const { seconds, requests, failing } = await installInPods(PODS, LIMIT, 60_000);
  expect(seconds).toBeLessThanOrEqual(60 + 1.3 * leastOf(LIMIT, PODS));
  expect(requests - failing).toBeLessThanOrEqual(1.2 * PODS * TARBALLS);
});

test('three at one request per 3 s are all ready', async () => {
  await installInPods(3, { ...LIMIT, rate: 1 / 3, burst: 1, retryAfter: 3 });
});
