/** G6 in a container: /health responds in time while the registry is slow, unreachable and back. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, createVolume, runContainer } from '../../support/container.ts';
import { watchHealth } from '../../support/health.ts';
import { type ImageRegistry, startImageRegistry } from '../../support/network.ts';
import { containerProblem, until } from '../../support/podman.ts';

/** Longest accepted response time of /health, in ms. */
const BOUND = 100;

describe.skipIf(containerProblem)(
  `the registry${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    test('/health responds within 100 ms while the registry is slow, unreachable and back, and large SDKs are installed and loaded', async () => {
      const { network, env } = registry;
      const volume = createVolume();
      const container = await runContainer({
        image: inject('image'),
        volume: volume.path,
        network,
        env: { ...env, npm_config_fetch_timeout: '3000', npm_config_fetch_retry_mintimeout: '100' },
      });
      const search = (backend: string): Promise<Answer> =>
        container.request(`/search?q=otters&with=search.${backend}`);
      const send = (): Promise<Answer> =>
        container.request('/messages', { chat: 'oc_1', text: 'otters' });
      try {
        await container.ready();
        const tellHealth = await watchHealth(container);
        await registry.fault({ ms: 700 });
        const slow = await search('firecrawl');
        expect(slow).toMatchObject({ status: 200, body: { results: ['firecrawl: otters'] } });
        expect(slow.ms).toBeGreaterThan(700);

        await registry.reset();
        await registry.fault({ ms: 1500 });
        const asked = search('exa');
        await until('it is asked', async () => (await registry.requests()).length > 0);
        await registry.disconnect();
        expect(await asked).toMatchObject({ status: 503, body: { code: 'ANNEX_OFFLINE' } });
        // Other backends from the same registry are not tried either.
        expect(await send()).toMatchObject({ status: 503, body: { code: 'ANNEX_OFFLINE' } });

        await registry.connect();
        await registry.reset();
        // A command retries at once.
        expect(await container.exec(['annex', 'install', 'chat.feishu'])).toMatchObject({
          code: 0,
        });
        expect(await send()).toMatchObject({ status: 200, body: { message: 'om_1' } });

        const health = await tellHealth();

        expect(health.failed).toBe(0);
        expect(health.own.worst, JSON.stringify(health)).toBeLessThan(BOUND);
      } finally {
        await container.remove();
        volume.remove();
      }
    });
  },
);
