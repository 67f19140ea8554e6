/** G2, G7 in a container: a baked backend loads from its layer, and nothing is written. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildImage } from '../support/build.ts';
import { createVolume, runContainer } from '../support/container.ts';
import { loopback, startApis } from '../support/network.ts';
import { containerProblem } from '../support/podman.ts';

const problem = containerProblem ? `: ${containerProblem}` : '';

describe.skipIf(containerProblem)(`a baked backend${problem}`, () => {
  test('responds on a read-only root without network and installs, and leaves the volume unchanged', async () => {
    const image = await buildImage({ buildArgs: { BAKE: 'search.exa' } });
    const volume = createVolume();
    const container = await runContainer({
      image,
      volume: volume.path,
      env: { ...loopback, ANNEX_ALLOW_INSTALLS: '0' },
      options: ['--read-only'],
    });
    const apis = await startApis(container);
    try {
      await container.ready();
      const answer = await container.request('/search?q=otters');
      expect(answer).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
      const { body } = await container.request('/backends');
      expect(body).toEqual([
        { feature: 'search.exa', where: 'layer' },
        {
          feature: 'search.firecrawl',
          where: 'denied',
          code: 'ANNEX_DENIED',
          hint: expect.any(String),
        },
        { feature: 'chat.feishu', where: 'denied', code: 'ANNEX_DENIED', hint: expect.any(String) },
      ]);
      const list = await container.exec([
        'find',
        '/opt/annex',
        // Links to shared packages of the core have no mode of their own.
        '!',
        '-type',
        'l',
        '(',
        '!',
        '-user',
        '0',
        '-o',
        '-perm',
        '/022',
        ')',
      ]);
      expect(list).toMatchObject({ code: 0, stdout: '' });
      expect(readdirSync(volume.path, { recursive: true })).toEqual(['annex']);
    } finally {
      apis.close();
      await container.remove();
      volume.remove();
    }
  });
});
