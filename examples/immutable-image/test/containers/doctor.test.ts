/** `annex doctor` in a container: its first finding names the cause, and the remedy works where it is pasted. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type Container,
  type ContainerOptions,
  createVolume,
  runContainer,
} from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem } from '../support/podman.ts';

interface Finding {
  level: string;
  text: string;
  remedy?: string;
}

describe.skipIf(containerProblem)(
  `annex doctor${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    /** Runs a container, and removes it afterwards. */
    async function withContainer(
      { volume, env, ...options }: Omit<ContainerOptions, 'image'>,
      run: (container: Container) => Promise<void>,
    ): Promise<void> {
      const { network } = registry;
      const place = { image: inject('image'), network, ...(volume && { volume }), ...options };
      const container = await runContainer({ ...place, env: { ...registry.env, ...env } });
      try {
        await container.ready();
        await run(container);
      } finally {
        await container.remove();
      }
    }

    const search = async ({ request }: Container): Promise<number> =>
      (await request('/search?q=otters&with=search.exa')).status;

    /** The first finding that is not ok. */
    async function diagnose({ exec }: Container): Promise<Finding> {
      const { stdout } = await exec(['annex', 'doctor']);
      const [, level = '', text = '', remedy] =
        /^ {2}(problem|warning) +(.*)\n(?: {11}Now: (.*)\n)?/m.exec(stdout) ?? [];
      // Only the counts and the name of a group are above it.
      expect(stdout.split('\n')[2]).toContain(`  ${level} `);
      return { level, text, ...(remedy !== undefined && { remedy }) };
    }

    /** The command at the end of a remedy. */
    const readCommand = ({ remedy = '' }: Finding): string => remedy.split('as root: ')[1] ?? '';

    test('a volume of root, and a store of another user: as root, its command makes the search work', async () => {
      const volume = createVolume({ uid: 0, mode: 0o755 });
      const options = { volume: volume.path, options: ['--read-only', '--tmpfs', '/tmp'] };
      try {
        await withContainer({ ...options, user: '10000:10000' }, async (container) => {
          expect(await search(container)).toBe(503);
          const found = await diagnose(container);
          expect(found.text).toMatch(/permission is denied/);
          const command = ['sh', '-c', readCommand(found)];
          expect(await container.exec(command, { user: '0' })).toMatchObject({ code: 0 });
          expect(await search(container)).toBe(200);
        });
        await withContainer({ ...options, user: '20000:20000' }, async (container) => {
          expect(await search(container)).toBe(503);
          const found = await diagnose(container);
          expect(found.text).toMatch(/\/opt\/data\/annex belongs to uid 10000$/);
          const command = ['sh', '-c', readCommand(found)];
          expect(await container.exec(command, { user: '0' })).toMatchObject({ code: 0 });
          expect(await search(container)).toBe(200);
        });
      } finally {
        volume.remove();
      }
    });

    test('no volume, and a store that is not on it: the remedy names the place', async () => {
      const options = ['--read-only', '--tmpfs', '/tmp', '--image-volume', 'ignore'];
      await withContainer({ options }, async (container) => {
        expect(await diagnose(container)).toEqual({
          level: 'problem',
          text: expect.stringMatching(/read-only \(EROFS .*\); no volume is there$/),
          remedy: 'mount a volume on /opt/data',
        });
      });
      const volume = createVolume();
      const env = { ANNEX_STORE: '/opt/dta/annex' };
      try {
        await withContainer({ volume: volume.path, env }, async (container) => {
          expect(await diagnose(container)).toMatchObject({
            text: expect.stringMatching(
              /^\/opt\/dta\/annex cannot be used: .*; no volume is there$/,
            ),
            remedy: 'set ANNEX_STORE to a path on a volume: /opt/data/annex',
          });
        });
      } finally {
        volume.remove();
      }
    });

    test('a rejected token, remembered: the command of the remedy installs once the registry accepts it', async () => {
      const volume = createVolume();
      try {
        await withContainer({ volume: volume.path }, async (container) => {
          await registry.fault({ status: 401 });
          expect(await search(container)).toBe(503);
          const { text, remedy = '' } = await diagnose(container);
          expect(text).toMatch(/answered 401 for/);
          expect(remedy).toMatch(/^give npm a valid token .*npm_config_userconfig, then /);
          await registry.reset();
          const command = ['sh', '-c', remedy.split(', then ')[1] ?? ''];
          expect(await container.exec(command, { user: '10000' })).toMatchObject({ code: 0 });
          expect(await search(container)).toBe(200);
        });
      } finally {
        await registry.reset();
        volume.remove();
      }
    });

    test('NODE_OPTIONS of somebody else: with the line of the remedy the search works', async () => {
      const volume = createVolume();
      let line = '';
      try {
        const env = { NODE_OPTIONS: '--max-old-space-size=256' };
        await withContainer({ volume: volume.path, env }, async (container) => {
          expect(await search(container)).toBe(503);
          const { text, remedy = '' } = await diagnose(container);
          expect(text).toMatch(/^NODE_OPTIONS does not load annex/);
          line = /^set NODE_OPTIONS="(--max-old-space-size=256 .+)"$/.exec(remedy)?.[1] ?? '';
        });
        await withContainer({ volume: volume.path, env: { NODE_OPTIONS: line } }, async (one) => {
          expect(await search(one)).toBe(200);
        });
      } finally {
        volume.remove();
      }
    });
  },
);
