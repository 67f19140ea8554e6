/** G4 in a container: after a kill at any moment of an install, a restart on the same volume behaves as if nothing had happened. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type Answer,
  type Container,
  createVolume,
  runContainer,
  type Volume,
} from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem, until } from '../support/podman.ts';

const MOMENTS = 10;
/** Delay of the registry, in ms: an install takes several seconds. */
const DELAY = 600;
/** Fractions of the measured length of an install; lengths vary. */
const SPAN = 0.8;

/** Lists the contents of a store, which must have no leftovers. */
function listStore({ path }: Volume) {
  const root = join(path, 'annex', 'v1');
  const list = (name: string): string[] => {
    try {
      return readdirSync(join(root, name));
    } catch {
      return [];
    }
  };
  return {
    any: list('any'),
    staging: list('staging'),
    locks: list('locks'),
    retired: list('retired'),
    failures: list('failures'),
  };
}

const WHOLE = {
  any: [expect.stringMatching(/^search\.exa\.[0-9a-f]{32}\.0$/)],
  staging: [],
  locks: [],
  retired: [],
  failures: [],
};

describe.skipIf(containerProblem)(
  `killed in mid-install${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    const search = (container: Container): Promise<Answer> =>
      container.request('/search?q=otters&with=search.exa');

    async function runOn<T>(use: (container: Container, volume: Volume) => Promise<T>): Promise<T> {
      const volume = createVolume();
      const { network, env } = registry;
      const image = inject('image');
      const container = await runContainer({ image, volume: volume.path, network, env });
      try {
        await container.ready();
        return await use(container, volume);
      } catch (error) {
        throw new Error(`the container said:\n${await container.logs()}`, { cause: error });
      } finally {
        await container.remove();
        volume.remove();
      }
    }

    /**
     * Requests the backend, and holds the registry until the installer has the lock.
     * @returns the pending response
     * @throws with the response, if that comes first
     */
    async function startInstall(container: Container, volume: Volume) {
      await registry.fault({ ms: DELAY, isHeld: true });
      let early: unknown;
      const answer = search(container)
        .catch((error: unknown) => error)
        .then((given) => {
          early = given;
          return given;
        });
      await until(
        'the lock is taken',
        () => listStore(volume).locks.length > 0 || early !== undefined,
        60,
      );
      if (early !== undefined) throw new Error('no install', { cause: early });
      await registry.fault({ ms: DELAY });
      return { answer };
    }

    /** Time for which the lock is held, in ms. */
    const measure = (): Promise<number> =>
      runOn(async (container, volume) => {
        const { answer } = await startInstall(container, volume);
        const at = performance.now();
        await until('there is an entry', () => listStore(volume).any.length > 0);
        const length = performance.now() - at;
        expect(await answer).toMatchObject({ status: 200 });
        expect(listStore(volume)).toEqual(WHOLE);
        return length;
      });

    test(`a container that is killed at any of ${MOMENTS} moments of an install installs after its next start and leaves exactly one entry`, async () => {
      const length = await measure();
      const restarted: Promise<void>[] = [];
      const left: string[] = [];
      for (let moment = 0; moment < MOMENTS; moment += 1) {
        // One at a time up to the kill, so that the moments are exact. The rest waits for 10 s and runs concurrently.
        const killed = new Promise<void>((resolve, reject) => {
          const whole = runOn(async (container, volume) => {
            const { answer } = await startInstall(container, volume);
            await sleep((SPAN * length * moment) / MOMENTS);
            await container.kill('KILL');
            await container.wait();
            const { any, staging, locks } = listStore(volume);
            const unpacked = staging.filter((name) => !name.endsWith('.kept'));
            left.push(`${any.length} ${unpacked.length} ${locks.length}`);
            resolve();
            await answer;
            await container.start();
            await container.ready();
            const again = await search(container);
            expect(again).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
            // An installer killed between the rename and the release of its lock leaves the lock for the next installer.
            const now = listStore(volume);
            expect(any.length > 0 ? { ...now, locks: [] } : now).toEqual(WHOLE);
          });
          whole.catch(reject);
          restarted.push(whole);
        });
        await killed;
      }
      await Promise.all(restarted);
      expect(left.filter((one) => one === '0 1 1').length).toBeGreaterThanOrEqual(MOMENTS / 3);
    }, 1_200_000);
  },
);
