/** G4, G6 in a container: the first request installs on the volume, the core stays unchanged, and the next container needs no network. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createVolume, runContainer } from '../support/container.ts';
import { type ImageRegistry, loopback, startApis, startImageRegistry } from '../support/network.ts';
import { containerProblem } from '../support/podman.ts';

/** Lists one line for each file of the core, and a digest of all. */
const DIGEST =
  'cd /opt/app && find . -type f -exec sha256sum {} + | sort && find . -printf "%y %m %u %p %l\\n" | sort';

describe.skipIf(containerProblem)(
  `the first use${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    test('the first request installs, the core is unchanged, and the next container responds without a registry', async () => {
      const image = inject('image');
      const volume = createVolume();
      const common = { image, volume: volume.path, env: registry.env, network: registry.network };
      const first = await runContainer(common);
      try {
        await first.ready();
        const before = await first.exec(['sh', '-c', DIGEST]);
        const answer = await first.request('/search?q=otters&with=search.exa');
        expect(answer).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
        const asked = await registry.requests();
        expect(asked.filter((line) => line.includes('/exa-js-'))).toHaveLength(1);
        const after = await first.exec(['sh', '-c', DIGEST]);
        expect(before.stdout).toContain('./bin/agent.mjs');
        expect(after.stdout).toBe(before.stdout);
      } finally {
        await first.remove();
      }
      await registry.reset();
      const second = await runContainer({ ...common, network: 'none', env: loopback });
      const apis = await startApis(second);
      try {
        await second.ready();
        const answer = await second.request('/search?q=otters&with=search.exa');
        expect(answer).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
        const { body } = await second.request('/backends');
        expect(body).toContainEqual(
          expect.objectContaining({ feature: 'search.exa', where: 'store' }),
        );
      } finally {
        apis.close();
        await second.remove();
        volume.remove();
      }
      expect(await registry.requests()).toEqual([]);
    });
  },
);
