/** The gate in a container: with installs denied the gateway is healthy, and its responses have the reason. */
import { chownSync, existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Container, createVolume, runContainer, type Volume } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem } from '../support/podman.ts';

const APP = 10_000;
const OPERATOR = '/opt/data/operator.json';
const FEATURES = ['search.exa', 'search.firecrawl', 'chat.feishu'];
const EXA = '/search?q=otters&with=search.exa';
const FIRECRAWL = '/search?q=otters&with=search.firecrawl';

describe.skipIf(containerProblem)(
  `the gate${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    /** Runs a gateway on a temporary volume. */
    async function withGateway(
      env: Record<string, string>,
      run: (container: Container, volume: Volume) => Promise<void>,
      operator?: object,
    ): Promise<void> {
      const volume = createVolume();
      if (operator) writeOperator(volume, operator);
      const container = await runContainer({
        image: inject('image'),
        volume: volume.path,
        network: registry.network,
        env: { ...registry.env, ...env },
      });
      try {
        await container.ready();
        await run(container, volume);
      } finally {
        await container.remove();
        volume.remove();
      }
    }

    /** Replaces a file by renaming another one, as editors do. */
    function writeOperator(volume: Volume, content: object): void {
      const path = join(volume.path, 'operator.json');
      writeFileSync(`${path}.new`, JSON.stringify(content));
      chownSync(`${path}.new`, APP, APP);
      renameSync(`${path}.new`, path);
    }

    const deny = (code: string, why: RegExp, hint: RegExp): object => ({
      status: 503,
      body: {
        code,
        message: expect.stringMatching(why),
        hint: expect.stringMatching(hint),
      },
    });

    /** Expects a healthy gateway whose responses have the reason, with nothing installed or requested. */
    async function expectDenied(
      container: Container,
      volume: Volume,
      [code, why, hint]: [string, RegExp, RegExp],
    ): Promise<void> {
      expect(await container.request(EXA)).toMatchObject(deny(code, why, hint));
      const message = { chat: 'c', text: 't' };
      expect(await container.request('/messages', message)).toMatchObject(deny(code, why, hint));
      const { body } = await container.request('/backends');
      expect(body).toEqual(
        FEATURES.map((feature) => ({
          feature,
          where: 'denied',
          code,
          hint: expect.stringMatching(hint),
        })),
      );
      expect(await container.request('/health')).toMatchObject({ status: 200, body: { ok: true } });
      expect(await container.exec(['agent', 'health'])).toMatchObject({ code: 0 });
      const searched = await container.exec(['agent', 'search', 'otters']);
      expect(searched).toMatchObject({ code: 1, stderr: expect.stringMatching(why) });
      const store = join(volume.path, 'annex', 'v1', 'any');
      expect(existsSync(store) ? readdirSync(store) : []).toEqual([]);
      expect(await registry.requests()).toEqual([]);
    }

    const SWITCHED = /^unset ANNEX_ALLOW_INSTALLS/;
    test.each<[string, Record<string, string>, [string, RegExp, RegExp]]>([
      [
        'sealed without a store',
        { ANNEX_STORE: '' },
        ['ANNEX_DENIED', /the core is sealed and there is no store/, /^set ANNEX_STORE/],
      ],
      [
        'a kill switch in the environment that is misspelled',
        { ANNEX_ALLOW_INSTALLS: 'nope' },
        ['ANNEX_DENIED', /switched off by ANNEX_ALLOW_INSTALLS/, SWITCHED],
      ],
      [
        'an operator file that is named and missing',
        { ANNEX_CONFIG: OPERATOR },
        ['ANNEX_INVALID_CONFIG', /operator.json does not exist/, /^correct the file/],
      ],
    ])('%s: nothing is installed, and each answer says why', async (_title, env, refusal) => {
      await withGateway(env, (container, volume) => expectDenied(container, volume, refusal));
    });

    test('an operator file on the volume denies, blocks, allows and denies again while the gateway runs; installed backends still load', async () => {
      const refusal: [string, RegExp, RegExp] = [
        'ANNEX_DENIED',
        /switched off by allowInstalls in \/opt\/data\/operator.json/,
        /^set allowInstalls in \/opt\/data\/operator.json to true/,
      ];
      await withGateway(
        { ANNEX_CONFIG: OPERATOR },
        async (container, volume) => {
          await expectDenied(container, volume, refusal);
          writeOperator(volume, { blocked: ['openai'] });
          await container.stop();
          await container.start();
          await container.ready();
          const blocked = deny('ANNEX_DENIED', /openai.* is blocked/, /./);
          expect(await container.request(EXA)).toMatchObject(blocked);
          const titles = { status: 200, body: { results: ['firecrawl: otters'] } };
          expect(await container.request(FIRECRAWL)).toMatchObject(titles);
          expect(await container.request('/health')).toMatchObject({ status: 200 });
          writeOperator(volume, { allowInstalls: false });
          expect(await container.request(FIRECRAWL)).toMatchObject(titles);
          expect(await container.request(EXA)).toMatchObject(deny(...refusal));
          const env = ['ANNEX_ALLOW_INSTALLS=0'];
          const searched = await container.exec(['agent', 'search', 'otters'], { env });
          const why = /switched off by ANNEX_ALLOW_INSTALLS/;
          expect(searched).toMatchObject({ code: 1, stderr: expect.stringMatching(why) });
        },
        { allowInstalls: false },
      );
    });
  },
);
