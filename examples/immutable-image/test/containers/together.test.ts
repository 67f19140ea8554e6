/** G2, G4 in containers: eight containers on one volume that need the same backend at once install it once. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Container, createVolume, runContainer } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem } from '../support/podman.ts';

const MANY = 8;

describe.skipIf(containerProblem)(
  `one volume${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    test(`${MANY} containers that need the same missing backend at once all respond, and one installs`, async () => {
      const volume = createVolume();
      const { network, env } = registry;
      const common = { image: inject('image'), volume: volume.path, network, env };
      const containers: Container[] = [];
      try {
        for (let nth = 0; nth < MANY; nth += 1) containers.push(await runContainer(common));
        await Promise.all(containers.map((one) => one.ready()));
        // Slow enough that all of them wait for the first install.
        await registry.fault({ ms: 1500 });
        const answers = await Promise.all(
          containers.map((one) => one.request('/search?q=otters&with=search.exa')),
        );
        for (const answer of answers) {
          expect(answer).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
        }
        const tarballs = (await registry.requests()).filter((line) => line.endsWith('.tgz'));
        expect(tarballs.length).toBeGreaterThan(5);
        expect(tarballs).toEqual([...new Set(tarballs)]);
        const logs = await Promise.all(containers.map((one) => one.logs()));
        expect(logs.filter((log) => log.includes('annex: installing'))).toHaveLength(1);
        expect(logs.filter((log) => log.includes('annex: waiting for process'))).not.toEqual([]);
        const list = (name: string): string[] => readdirSync(join(volume.path, 'annex/v1', name));
        expect(list('any')).toEqual([expect.stringMatching(/^search\.exa\.[0-9a-f]{32}\.0$/)]);
        expect(list('staging')).toEqual([]);
        expect(list('locks')).toEqual([]);
      } finally {
        await Promise.all(containers.map((one) => one.remove()));
        volume.remove();
      }
    });
  },
);
