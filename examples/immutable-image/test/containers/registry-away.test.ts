/** G7 in a container: after a failure the registry is asked again only when the failure expires. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, createVolume, runContainer } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem, until } from '../support/podman.ts';

describe.skipIf(containerProblem)(
  `a registry that was away${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    test('a failed install is not retried before the failure expires, and then succeeds', async () => {
      const { network, env } = registry;
      const volume = createVolume();
      const container = await runContainer({
        image: inject('image'),
        volume: volume.path,
        network,
        env: { ...env, npm_config_fetch_timeout: '3000', npm_config_fetch_retry_mintimeout: '100' },
      });
      const search = (): Promise<Answer> => container.request('/search?q=otters&with=search.exa');
      try {
        await container.ready();
        await registry.disconnect();
        expect(await search()).toMatchObject({ status: 503, body: { code: 'ANNEX_OFFLINE' } });
        await registry.connect();
        await registry.reset();
        const first = await search();
        expect(first).toMatchObject({ status: 503, body: { code: 'ANNEX_OFFLINE' } });
        expect(await registry.requests()).toEqual([]);

        // One failure of the feature and one of the host.
        const failures = join(volume.path, 'annex/v1/failures');
        const ends = readdirSync(failures).map((name) => {
          const [{ at, until: end }] = JSON.parse(readFileSync(join(failures, name), 'utf8'));
          expect(end - at).toBeLessThanOrEqual(30_000);
          return end as number;
        });
        const end = Math.ceil(Math.max(...ends) / 1000) * 1000;
        const nextTry = new Date(end).toISOString().slice(11, 19);
        expect(first.body.message).toContain(`Next try at ${nextTry} UTC`);
        await until('the failure may be forgotten', () => Date.now() > end);
        const second = await search();
        expect(second).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
      } finally {
        await container.remove();
        volume.remove();
      }
    });
  },
);
