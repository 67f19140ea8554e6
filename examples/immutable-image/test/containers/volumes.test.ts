/** G4, G7: with any volume, user and rights the gateway responds, and a backend is installed or the response has the reason and a hint. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ContainerOptions, createVolume, runContainer } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem, tryRun } from '../support/podman.ts';

type Case = {
  volume?: { uid?: number; gid?: number; mode?: number };
  /** Expected output of /init. */
  said?: string[];
  /** Expected owner of the store. */
  owner?: number;
} & Omit<Partial<ContainerOptions>, 'volume'>;

const off = 'backends that are not installed yet stay unavailable';
const hardened = ['--cap-drop', 'all', '--security-opt', 'no-new-privileges'];
const readOnly = ['--read-only', '--read-only-tmpfs=false'];

describe.skipIf(containerProblem)(
  `volumes and users${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    const image = inject('image');
    let registry: ImageRegistry;
    beforeAll(async () => {
      registry = await startImageRegistry();
    });
    afterAll(() => registry?.close());

    test.each<[string, Case]>([
      ['an arbitrary uid in group 0 with write permission', { user: '4242:0', owner: 4242 }],
      ['uid 10000 without any capability', { user: '10000', options: hardened }],
      [
        'no CHOWN, a volume of the user, a read-only root with /tmp and /run, noexec',
        {
          options: [
            ...['--cap-drop', 'CHOWN', ...readOnly],
            ...['--tmpfs', '/tmp:noexec', '--tmpfs', '/run:noexec'],
          ],
        },
      ],
      [
        'a user of the environment, a volume of somebody else, a read-only root without any tmpfs',
        {
          env: { APP_UID: '1234' },
          volume: { uid: 4242, gid: 4242, mode: 0o755 },
          owner: 1234,
          options: readOnly,
          said: [
            'init: /tmp/agent cannot be written (a read-only container needs --tmpfs /tmp): nothing is supervised or restarted',
          ],
        },
      ],
    ])('it installs: %s', async (_fact, { volume, said = [], owner = 10_000, ...options }) => {
      const { env, network } = registry;
      const data = createVolume(volume);
      const container = await runContainer({
        image,
        network,
        volume: data.path,
        ...options,
        env: { ...env, ...options.env },
      });
      try {
        await container.ready();
        const answer = await container.request('/search?q=otters');
        expect(answer).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
        expect((await container.logs()).match(/^init: .*/gm) ?? []).toEqual(said);
        const find = ['find', '/opt/data/annex', '!', '-uid', String(owner)];
        expect((await container.exec(find, { user: '0' })).stdout).toBe('');
      } finally {
        await container.remove();
        data.remove();
      }
    });

    const mine =
      'make the store a directory that the user of this process can write, or set ANNEX_STORE to one';
    test.each<[string, Case, string, string, string]>([
      [
        'a read-only volume',
        {
          readOnlyVolume: true,
          said: [`init: /opt/data/annex cannot be written by user 10000, group 10000: ${off}`],
        },
        'ANNEX_STORE_UNUSABLE',
        'its volume is mounted read-only',
        'mount a writable volume there, or set ANNEX_STORE to a writable directory',
      ],
      [
        'no CHOWN, a volume of root',
        {
          volume: { uid: 0, mode: 0o755 },
          options: ['--cap-drop', 'CHOWN'],
          said: [
            `init: /opt/data/annex cannot be given to user 10000 (chown is not permitted): ${off}`,
          ],
        },
        'ANNEX_STORE_UNUSABLE',
        'EACCES',
        mine,
      ],
      [
        'root without any capability',
        {
          options: hardened,
          said: [
            'init: cannot change to user 10000 (no CAP_SETUID, or no such user in this namespace): going on as root',
          ],
        },
        'ANNEX_STORE_UNUSABLE',
        '/opt/data belongs to uid 10000, and this process is root',
        'set ANNEX_STORE to another directory, or run it as that user: docker exec --user 10000',
      ],
      [
        'an arbitrary uid that may not write',
        {
          user: '4242:0',
          volume: { mode: 0o755 },
          said: [`init: /opt/data cannot be written by user 4242, group 0: ${off}`],
        },
        'ANNEX_STORE_UNUSABLE',
        'EACCES',
        mine,
      ],
    ])('it says why not: %s', async (_fact, { volume, said, ...options }, code, why, hint) => {
      const data = createVolume(volume);
      const container = await runContainer({ image, volume: data.path, ...options });
      try {
        await container.ready();
        const { status, body } = await container.request('/search?q=otters');
        expect({ status, code: body.code }).toEqual({ status: 503, code });
        expect(body).toMatchObject({ message: expect.stringContaining(why), hint });
        expect((await container.logs()).match(/^init: .*/gm)).toEqual(said);
        expect((await container.request('/health')).status).toBe(200);
      } finally {
        await container.remove();
        data.remove();
      }
    });

    test('a full volume is reported, and the gateway continues', async () => {
      const options = ['--tmpfs', '/opt/data:size=400k,mode=2775'];
      const { env, network } = registry;
      const container = await runContainer({ image, network, env, options });
      try {
        await container.ready();
        const { status, body } = await container.request('/search?q=otters');
        expect({ status, body }).toMatchObject({
          status: 503,
          body: { code: 'ANNEX_NO_SPACE', hint: expect.stringContaining('free space') },
        });
        expect((await container.logs()).match(/^init: .*/gm)).toBeNull();
        expect((await container.request('/health')).status).toBe(200);
      } finally {
        await container.remove();
      }
    });

    test('a file system that refuses chown is reported, and the gateway responds', async () => {
      const data = createVolume({ uid: 0, mode: 0o755 });
      const mirror = createVolume();
      mkdirSync(join(data.path, 'annex'));
      writeFileSync(join(data.path, 'annex', 'left'), '');
      const mounted = await tryRun('bindfs', ['--chown-deny', data.path, mirror.path]);
      expect(mounted).toMatchObject({ code: 0 });
      const container = await runContainer({ image, volume: mirror.path });
      try {
        await container.ready();
        expect((await container.logs()).match(/^init: .*/gm)).toEqual([
          `init: /opt/data/annex cannot be given to user 10000 (chown is not permitted): ${off}`,
        ]);
        const { status, body } = await container.request('/search?q=otters');
        expect({ status, code: body.code, hint: body.hint }).toEqual({
          status: 503,
          code: 'ANNEX_STORE_UNUSABLE',
          hint: mine,
        });
      } finally {
        await container.remove();
        await tryRun('umount', [mirror.path]);
        mirror.remove();
        data.remove();
      }
    });

    test('in a user namespace with one user the gateway continues as its root, and installs', async () => {
      const data = createVolume({ uid: 0, gid: 0, mode: 0o755 });
      const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '/init'];
      const container = await runContainer({
        image,
        volume: data.path,
        network: registry.network,
        env: registry.env,
        args: unshare,
        options: ['--entrypoint', 'unshare', '--privileged'],
      });
      try {
        await container.ready();
        expect((await container.logs()).match(/^init: .*/gm)).toEqual([
          'init: cannot change to user 10000 (no CAP_SETUID, or no such user in this namespace): going on as root',
        ]);
        const answer = await container.request('/search?q=otters');
        expect(answer).toMatchObject({ status: 200, body: { results: ['exa: otters'] } });
      } finally {
        await container.remove();
        data.remove();
      }
    });
  },
);
