/** The boot hook, run as root in a container on test volumes, gives the application's user the store and nothing else. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Container, createVolume, runContainer, type Volume } from '../support/container.ts';
import { containerProblem } from '../support/podman.ts';
import { createSwapper } from '../support/swapper.ts';

const HOOK = '/etc/boot.d/01-volume';
const bad = (name: string, text: string): string =>
  `init: ${name} '${text}' is not a number from 1 to 65534: it is 10000\n`;

describe.skipIf(containerProblem)(
  `the boot hook${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let root: Volume;
    let container: Container;
    let volume: string;
    let count = 0;
    const at = (...names: string[]): string => join(volume, ...names);
    const own = (path: string): string => {
      const { uid, gid, mode } = lstatSync(path);
      return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
    };
    const write = (path: string, uid: number, mode = 0o644): void => {
      writeFileSync(path, path);
      chownSync(path, uid, uid);
      chmodSync(path, mode);
    };

    /** Mounts the volume at the image's path and runs the hook, as /init does. */
    const hook = async (...env: string[]): Promise<string> => {
      const bind = `mount --bind /volumes/${count} /opt/data && exec ${HOOK}`;
      const args = ['unshare', '--mount', 'sh', '-c', bind];
      const { code, stdout, stderr } = await container.exec(args, { env });
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      return stderr;
    };

    beforeAll(async () => {
      root = createVolume({ uid: 0 });
      const options = [
        '-v',
        `${root.path}:/volumes`,
        '--cap-add',
        'SYS_ADMIN',
        '--entrypoint',
        'sleep',
      ];
      container = await runContainer({ image: inject('image'), args: ['600'], options });
    });
    afterAll(async () => {
      await container?.remove();
      root?.remove();
    });
    beforeEach(() => {
      count += 1;
      volume = join(root.path, String(count));
      mkdirSync(volume);
      chownSync(volume, 10_000, 0);
      chmodSync(volume, 0o2775);
    });

    test.each<[string, string[], string, string]>([
      ['APP_UID and APP_GID', ['APP_UID=1234', 'APP_GID=2345'], '1234:2345', ''],
      ['PUID and PGID', ['PUID=1234', 'PGID=2345'], '1234:2345', ''],
      ['APP_UID before PUID', ['APP_UID=1234', 'PUID=999'], '1234:10000', ''],
      ['the largest', ['APP_UID=65534', 'APP_GID=65534'], '65534:65534', ''],
      ['empty values', ['APP_UID=', 'APP_GID='], '10000:10000', ''],
      ...['abc', '0', '65535', '010', '-1', '1 2', '99999999999999999999'].map(
        (text): [string, string[], string, string] => [
          `'${text}' is refused`,
          [`APP_UID=${text}`, `PGID=${text}`],
          '10000:10000',
          bad('APP_UID or PUID', text) + bad('APP_GID or PGID', text),
        ],
      ),
    ])(
      'a store of root is given to the user of the environment: %s',
      async (_fact, env, owner, said) => {
        chownSync(volume, 0, 0);
        mkdirSync(at('annex'));
        expect(await hook(...env)).toBe(said);
        expect([own(volume).split(' ')[0], own(at('annex')).split(' ')[0]]).toEqual([owner, owner]);
      },
    );

    test('another uid on the same volume takes over the whole store', async () => {
      expect(await hook()).toBe('');
      mkdirSync(at('annex/v1'));
      chownSync(at('annex/v1'), 10_000, 10_000);
      write(at('annex/v1/file'), 10_000);
      expect(await hook('APP_UID=1234')).toBe('');
      for (const path of ['annex', 'annex/v1', 'annex/v1/file'])
        expect(own(at(path)), path).toMatch(/^1234:10000 /);
      expect(own(volume)).toBe('10000:0 2775');
    });

    test('files that root left in the store are given to the user at the next boot', async () => {
      expect(await hook()).toBe('');
      mkdirSync(at('annex/v1/deep'), { recursive: true });
      write(at('annex/v1/deep/file'), 0);
      expect(await hook()).toBe('');
      for (const path of ['annex', 'annex/v1', 'annex/v1/deep', 'annex/v1/deep/file'])
        expect(own(at(path)), path).toMatch(/^10000:/);
    });

    test('the next boot completes an interrupted takeover', async () => {
      mkdirSync(at('annex/v1'), { recursive: true });
      for (const path of ['annex', 'annex/v1']) chownSync(at(path), 10_000, 10_000);
      for (let name = 0; name < 200; name += 1) {
        mkdirSync(at('annex/v1', String(name)));
        write(at('annex/v1', String(name), 'file'), 10_000);
        chownSync(at('annex/v1', String(name)), 10_000, 10_000);
      }
      const done = (): number =>
        Array.from({ length: 200 }, (_, name) => at('annex/v1', String(name), 'file')).filter(
          (path) => lstatSync(path).uid === 1234,
        ).length;
      const bind = `mount --bind /volumes/${count} /opt/data; timeout -s KILL 0.3 ${HOOK}`;
      const args = ['unshare', '--mount', 'sh', '-c', bind];
      await container.exec(args, { env: ['APP_UID=1234'] });
      expect(done()).toBeLessThan(200);
      expect(await hook('APP_UID=1234')).toBe('');
      expect(done()).toBe(200);
    });

    test('files outside the store, hard links and files of other users keep owner and mode', async () => {
      mkdirSync(at('theirs'));
      write(at('theirs/file'), 0, 0o4755);
      write(at('secret'), 0, 0o600);
      mkdirSync(at('annex'));
      linkSync(at('secret'), at('annex/second-name'));
      write(at('annex/of-4242'), 4242, 0o640);
      write(at('annex/private'), 0, 0o600);
      symlinkSync('../secret', at('annex/link'));
      symlinkSync('../theirs', at('annex/directory'));
      symlinkSync('/etc/passwd', at('annex/outside'));
      const paths = [
        '.',
        'theirs',
        'theirs/file',
        'secret',
        'annex/second-name',
        'annex/of-4242',
        'annex/private',
      ];
      const before = paths.map((path) => own(at(path)));
      expect(await hook()).toBe('');
      expect(paths.map((path) => own(at(path)))).toEqual(before);
      expect((await container.exec(['stat', '-c', '%u', '/etc/passwd'])).stdout).toBe('0\n');
      expect(own(at('annex/link'))).toMatch(/^10000:10000 /);
    });

    test('a store that is a link is left unchanged and reported', async () => {
      mkdirSync(at('theirs'));
      write(at('theirs/file'), 0);
      symlinkSync('theirs', at('annex'));
      lchownSync(at('annex'), 0, 0);
      expect(await hook()).toBe(
        'init: /opt/data/annex is a link, and left alone: backends that are not installed yet stay unavailable\n',
      );
      for (const path of ['theirs', 'theirs/file', 'annex'])
        expect(own(at(path)), path).toMatch(/^0:0 /);
    });

    describe('while a process swaps in a link', () => {
      let swapper: ReturnType<typeof createSwapper> | undefined;
      afterEach(() => swapper?.stop());

      test.each([
        ['the store', 'annex', 'theirs'],
        ['a directory in it', 'annex/v1', '../theirs'],
      ])('%s for a link, nothing behind the link is given away', async (_fact, name, target) => {
        mkdirSync(at('theirs'));
        mkdirSync(at('annex/v1'), { recursive: true });
        for (let file = 0; file < 400; file += 1) {
          write(at('theirs', String(file)), 0);
          write(at('annex/v1', String(file)), 0);
        }
        symlinkSync(target, at('link'));
        swapper = createSwapper(at(name), at('link'));
        await swapper.started;
        const again = `for APP_UID in $(seq 1001 1020); do export APP_UID; ${HOOK}; done`;
        const bind = `mount --bind /volumes/${count} /opt/data; ${again}`;
        await container.exec(['unshare', '--mount', 'sh', '-c', bind]);
        expect(await swapper.stop()).toBeGreaterThan(100);
        const owners = Array.from({ length: 400 }, (_, file) => own(at('theirs', String(file))));
        expect(new Set(owners)).toEqual(new Set(['0:0 644']));
        expect(own(at('theirs'))).toMatch(/^0:0 /);
      });
    });
  },
);
