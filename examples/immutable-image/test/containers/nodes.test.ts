/** Field failure 7, in containers: after a rebuild on another Node, with the same volume, nothing stale is loaded and nothing is installed twice. */
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Line, lines } from '../support/bases.ts';
import { buildImage } from '../support/build.ts';
import { type Container, createVolume, runContainer } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem } from '../support/podman.ts';

const EXA = '/search?q=otters&with=search.exa';
const OTTERS = { status: 200, body: { results: ['exa: otters'] } };

describe.skipIf(containerProblem)(
  `other Nodes${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    const images: Partial<Record<Line, string>> = {};
    beforeAll(async () => {
      registry = await startImageRegistry();
      images['24'] = inject('image');
      for (const node of ['20', '22', '26'] as const) images[node] = await buildImage({ node });
    }, 1_200_000);
    afterAll(() => registry?.close());

    const start = (line: Line, volume: string): Promise<Container> =>
      runContainer({
        image: images[line] ?? '',
        volume,
        network: registry.network,
        env: registry.env,
      });
    const countTarballs = async (): Promise<number> =>
      (await registry.requests()).filter((request) => request.endsWith('.tgz')).length;
    const whereIs = async (container: Container, feature: string): Promise<string> => {
      const { body } = await container.request('/backends');
      return body.find((backend: { feature: string }) => backend.feature === feature).where;
    };

    test('20, 22, 24, 26: a plain entry is installed once and stays valid, and one for the ABI of Node 20 loads only there', async () => {
      const volume = createVolume();
      const v1 = join(volume.path, 'annex', 'v1');
      try {
        for (const line of ['20', '22', '24', '26'] as const) {
          const container = await start(line, volume.path);
          try {
            await container.ready();
            const version = await container.exec(['node', '--version']);
            expect(version.stdout).toBe(`v${lines[line].node}\n`);
            if (line === '20') {
              const installed = await container.exec(['annex', 'install', 'search.firecrawl']);
              expect(installed).toMatchObject({ code: 0 });
              const [entry = ''] = readdirSync(join(v1, 'any'));
              const [abi = ''] = readdirSync(v1).filter((name) => name.startsWith('node115-'));
              mkdirSync(join(v1, abi), { recursive: true });
              renameSync(join(v1, 'any', entry), join(v1, abi, entry));
            }
            const isOwn = line === '20';
            expect(await whereIs(container, 'search.firecrawl')).toBe(isOwn ? 'store' : 'missing');
            const searched = await container.exec(['agent', 'search', 'otters'], {
              env: ['SEARCH_BACKEND=search.firecrawl', 'ANNEX_ALLOW_INSTALLS=0'],
            });
            expect(searched, line).toMatchObject(
              isOwn ? { code: 0, stdout: 'firecrawl: otters\n' } : { code: 1, stdout: '' },
            );
            expect(await container.request(EXA)).toMatchObject(OTTERS);
            expect((await countTarballs()) > 0).toBe(isOwn);
            await registry.reset();
          } finally {
            await container.remove();
          }
        }
        expect(readdirSync(join(v1, 'any'))).toEqual([expect.stringMatching(/^search\.exa\./)]);
      } finally {
        volume.remove();
      }
    });

    test('Node 20 and Node 26 on one volume: one installs, and both respond side by side', async () => {
      const volume = createVolume();
      const both: Container[] = [];
      await registry.reset();
      try {
        both.push(await start('20', volume.path), await start('26', volume.path));
        await Promise.all(both.map((container) => container.ready()));
        const answers = await Promise.all(both.map((container) => container.request(EXA)));
        expect(answers).toMatchObject([OTTERS, OTTERS]);
        const tarballs = (await registry.requests()).filter((line) => line.includes('/exa-js-'));
        expect(tarballs).toHaveLength(1);
        expect(readdirSync(join(volume.path, 'annex/v1/any'))).toHaveLength(1);
        const [, newer] = both as [Container, Container];
        expect(await newer.exec(['annex', 'install', 'search.firecrawl'])).toMatchObject({
          code: 0,
        });
        const asked = '/search?q=otters&with=search.firecrawl';
        await registry.reset();
        for (const container of both) {
          expect((await container.request(asked)).body.results).toEqual(['firecrawl: otters']);
          expect(await container.request(EXA)).toMatchObject(OTTERS);
        }
        expect(await countTarballs()).toBe(0);
      } finally {
        for (const container of both) await container.remove();
        volume.remove();
      }
    });
  },
);
