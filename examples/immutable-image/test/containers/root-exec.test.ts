/** Field failure 26, in a container: root never runs what the application's user can write, and what root installs belongs to that user. */
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { RunResult } from '../../../../test/support/process.ts';
import { type Container, createVolume, runContainer, type Volume } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem } from '../support/podman.ts';

const APP = 10_000;
const AS_ROOT = 'AGENT_EXEC_AS_ROOT=1';
/** Loads a feature by import and require; prints the results or the reasons. */
const LOAD = `
const load = (get) =>
  get().then(() => console.log('loaded'), (error) => console.log(error.code, error.cause?.code, error.cause?.message));
load(() => import('exa-js')).then(() => load(async () => require('exa-js')));`;

describe.skipIf(containerProblem)(
  `root in the container${containerProblem ? `: ${containerProblem}` : ''}`,
  () => {
    let registry: ImageRegistry;
    let volume: Volume;
    let container: Container;
    const at = (path: string): string => join(volume.path, path);
    const ownerOf = (path: string): number => lstatSync(at(path)).uid;
    /** Runs a command with a time limit; exit code 124 means that it hung. */
    const exec = (line: string, options?: { user?: string; env?: string[] }): Promise<RunResult> =>
      container.exec(['timeout', '20', 'sh', '-c', line], options);
    const listForeign = async (): Promise<string> =>
      (await exec(`find /opt/data ! -uid ${APP}`)).stdout;

    beforeAll(async () => {
      volume = createVolume();
      registry = await startImageRegistry();
      container = await runContainer({
        image: inject('image'),
        volume: volume.path,
        network: registry.network,
        env: registry.env,
      });
      await container.ready();
    });
    afterAll(async () => {
      await container?.remove();
      await registry?.close();
      volume?.remove();
    });

    test('files that root installs through annex and agent belong to the application user', async () => {
      const installed = await exec('annex install search.exa && agent search otters');
      expect(installed).toMatchObject({ code: 0, stdout: expect.stringContaining('exa: otters') });
      expect(readdirSync(at('annex/v1/any'))).toHaveLength(1);
      expect(await listForeign()).toBe('');
    });

    test('node as root does not load from the store, neither by import nor by require', async () => {
      const load = ['node', '-e', LOAD];
      expect((await container.exec(load, { user: 'app' })).stdout).toBe('loaded\nloaded\n');
      const refused = /^(ERR_)?MODULE_NOT_FOUND ANNEX_STORE_UNUSABLE .* and this process is root/gm;
      expect((await container.exec(load)).stdout.match(refused)).toHaveLength(2);
    });

    test('root with AGENT_EXEC_AS_ROOT neither loads from the store nor installs into it', async () => {
      const searched = await exec('agent search otters', { env: [AS_ROOT] });
      expect(searched).toMatchObject({ code: 1, stderr: expect.stringContaining('is root') });
      const installed = await exec('annex install search.firecrawl', { env: [AS_ROOT] });
      expect(installed.code).toBe(1);
      expect((await exec('annex list', { env: [AS_ROOT] })).stdout).toContain('search.exa');
      expect(await listForeign()).toBe('');
    });

    test('the application user can write nothing that root runs: not the core, its preload, the hooks, or a program', async () => {
      const places = '/init /etc /opt/app /usr /bin /sbin /lib /root';
      const line = `find ${places} -writable ! -type l -print 2>/dev/null; ls -ld /tmp | cut -c1-10`;
      const { stdout } = await exec(line, { user: 'app' });
      expect(stdout).toBe('drwxrwxrwt\n');
    });

    test('npm reads no .npmrc from the volume, and no compile cache from /tmp', async () => {
      const npmrc = 'init-author-name=planted\nnode-options=--require=/opt/data/planted.cjs\n';
      writeFileSync(at('.npmrc'), npmrc);
      writeFileSync(at('planted.cjs'), 'throw new Error("planted");');
      const line = 'npm config get init-author-name; ls -d /tmp/node-compile-cache';
      for (const user of ['app', 'root']) expect((await exec(line, { user })).stdout).toBe('\n');
      expect((await exec(`HOME=/opt/data ${line}`, { user: 'app' })).stdout).toBe('planted\n');
      rmSync(at('.npmrc'));
      // Without the image's setting there is one in a place where the application's user can create it first.
      const { stdout } = await exec(`unset NODE_DISABLE_COMPILE_CACHE; ${line}`);
      expect(stdout).toBe('\n/tmp/node-compile-cache\n');
    });

    test('exit codes are passed on; 127 for a missing program, 126 when root cannot change to the user', async () => {
      expect(await exec('agent nonsense')).toMatchObject({ code: 2 });
      const missing = await exec('/usr/local/lib/agent/as-app /opt/app/missing');
      expect(missing).toMatchObject({ code: 127, stderr: '/opt/app/missing: not found\n' });
      const confined = 'setpriv --bounding-set -setuid,-setgid agent health';
      const refused = await exec(confined);
      expect(refused).toMatchObject({ code: 126, stdout: '' });
      expect(refused.stderr).toContain('does not run as root (AGENT_EXEC_AS_ROOT=1 lets it)');
      expect(await exec(confined, { env: [AS_ROOT] })).toMatchObject({ code: 0 });
    });

    test('the groups of root are dropped', async () => {
      const { stdout } = await exec(
        'setpriv --groups 0,4,42 /usr/local/lib/agent/as-app /usr/bin/id -G',
      );
      expect(stdout).toBe(`${APP}\n`);
    });

    test('pipes and endless devices in the store and as the operator file delay neither root nor the health check', async () => {
      const [entry = ''] = readdirSync(at('annex/v1/any'));
      const pipes = [
        'pipe',
        'annex/v1/failures/search.exa.json',
        'annex/v1/failures/search.firecrawl.json',
        `annex/v1/retired/any.${entry}`,
        'annex/v1/any/search.exa.00000000000000000000000000000000.0/annex-entry.json',
        'annex/v1/any/search.exa.00000000000000000000000000000000.0/package.json',
      ];
      const planted = pipes.map((path) => `mkdir -p $(dirname ${path}) && mkfifo ${path}`);
      const line = `cd /opt/data && ${planted.join(' && ')} && ln -s /dev/zero endless`;
      expect(await exec(line, { user: 'app' })).toMatchObject({ code: 0 });
      for (const user of ['root', 'app']) {
        for (const file of ['pipe', 'endless']) {
          const env = [`ANNEX_CONFIG=/opt/data/${file}`];
          const health = 'node /opt/app/bin/agent.mjs health';
          expect(await exec(health, { user, env }), `${user} ${file}`).toMatchObject({ code: 0 });
        }
        const asked = await exec('annex list; annex why exa-js', { user, env: [AS_ROOT] });
        expect(asked.code, user).not.toBe(124);
        const loaded = await exec(`node -e "$LOAD"`, { user, env: [`LOAD=${LOAD}`] });
        expect(loaded, user).toMatchObject({ code: 0 });
      }
      for (const path of [...pipes, 'endless']) rmSync(at(path), { force: true });
    });

    test('the boot hook gives the user files that root left in the store, and none that the user moved or linked there', async () => {
      const write = (path: string, mode: number): void => {
        writeFileSync(at(path), '');
        chmodSync(at(path), mode);
      };
      const make = (path: string, mode: number): void => {
        mkdirSync(at(path));
        chmodSync(at(path), mode);
      };
      make('annex/left', 0o755);
      write('annex/left/file', 0o644);
      write('outside', 0o644);
      symlinkSync('/opt/data/outside', at('annex/left/link'));
      linkSync(at('outside'), at('annex/left/second-name'));
      write('annex/left/secret', 0o600);
      make('annex/left/private', 0o700);
      write('annex/left/private/file', 0o644);
      expect(await exec('/etc/boot.d/01-volume')).toMatchObject({ code: 0, stderr: '' });
      const given = ['left', 'left/file', 'left/link'].map((path) => `annex/${path}`);
      const kept = ['second-name', 'secret', 'private', 'private/file'].map(
        (path) => `annex/left/${path}`,
      );
      expect(given.map(ownerOf)).toEqual([APP, APP, APP]);
      expect([...kept, 'outside'].map(ownerOf)).toEqual([0, 0, 0, 0, 0]);
      rmSync(at('annex/left'), { recursive: true });
    });

    test('a store that is a link, a file, a pipe or a private directory is left unchanged and reported', async () => {
      renameSync(at('annex'), at('kept'));
      mkdirSync(at('private'), { mode: 0o700 });
      writeFileSync(at('private/file'), '');
      const left: [string, RegExp | string][] = [
        ['ln -s private annex', /annex is a link, and left alone/],
        ['touch annex', /annex cannot be written/],
        ['mkfifo annex', /annex cannot be written/],
        ['mv private annex', ''],
      ];
      for (const [line, said] of left) {
        await exec(`cd /opt/data && ${line}`, { user: 'app' });
        const { code, stderr } = await exec('/etc/boot.d/01-volume');
        expect({ line, code }).toEqual({ line, code: 0 });
        expect(stderr).toMatch(said);
        expect(await container.request('/health')).toMatchObject({ status: 200 });
        if (line.startsWith('mv'))
          expect([ownerOf('annex'), ownerOf('annex/file')]).toEqual([0, 0]);
        else {
          expect([ownerOf('private'), ownerOf('private/file')]).toEqual([0, 0]);
          rmSync(at('annex'));
        }
      }
      rmSync(at('annex'), { recursive: true });
      renameSync(at('kept'), at('annex'));
      chownSync(at('annex'), 0, 0);
      expect(await exec('/etc/boot.d/01-volume')).toMatchObject({ code: 0, stderr: '' });
      expect((await exec('agent search otters')).stdout).toBe('exa: otters\n');
      expect(ownerOf('annex')).toBe(APP);
    });
  },
);
