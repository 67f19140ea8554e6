/** An image with a compiled addon, as podman mounts it: executable, noexec, and changed. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  containerProblem,
  podman,
  run,
  tryRun,
} from '../../examples/immutable-image/test/support/podman.ts';
import { compileAddon } from '../support/addon.ts';
import { buildFromScratch } from '../support/from-scratch.ts';
import { startImageRegistry } from '../support/image-registry.ts';
import { lock } from '../support/lock-files.ts';
import { findProgram } from '../support/programs.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

const missing = ['cc', 'skopeo', 'docker-registry'].filter((name) => !findProgram(name));
const problem =
  containerProblem ?? (missing.length > 0 ? `${missing.join(', ')} cannot be found` : undefined);

const PROGRAM = `
const answer = await import('bound').then(
  ({ default: { marker } }) => ({ marker }),
  ({ code, cause }) => ({ code, cause: { code: cause.code, message: cause.message, hint: cause.hint } }),
);
console.log(JSON.stringify(answer));`;

describe.runIf(problem === undefined)(
  `an image with an addon${problem === undefined ? '' : ` (skipped: ${problem})`}`,
  () => {
    const application = 'localhost/annex-addon-app';
    let layer: string;
    let sandbox: Sandbox;

    beforeAll(async () => {
      const { addon, library } = compileAddon();
      const bound = {
        name: 'bound',
        version: '1.0.0',
        manifest: { main: './index.cjs' },
        files: {
          'index.cjs': "module.exports = require('./addon.node');",
          'addon.node': addon,
          'libwho.so': library,
        },
      };
      const annex = { features: { bound: '^1.0.0' } };
      const world = await openWorld({ packages: [bound], annex, copyAnnex: true });
      ({ sandbox } = world);
      await lock(sandbox);
      const layout = join(sandbox.root, 'layout');
      const { code, stdout, stderr } = await sandbox.annex(['bake', '--oci', layout, '--json']);
      expect(code, stderr).toBe(0);
      await world.registry.stop();
      const { name, digest } = JSON.parse(stdout).image;
      const { host } = await startImageRegistry(join(sandbox.root, 'images'));
      const options = ['--insecure-policy', 'copy', '--dest-tls-verify=false'];
      await run('skopeo', [...options, `oci:${layout}:${name}`, `docker://${host}/annex:addon`]);
      layer = `${host}/annex@${digest}`;
      await podman('pull', '--tls-verify=false', layer);
      await buildFromScratch(application, { '/app': sandbox.core });
    });

    afterAll(async () => {
      await tryRun('podman', ['rmi', '--force', application, layer]);
    });
    const start = (command: string[], ...flags: string[]) =>
      tryRun('podman', [
        ...['run', '--rm', '--network=none', '--read-only', '--cap-drop=all', '--user=10000'],
        ...['--env', 'ANNEX_STORE=/data/annex:/opt/annex', '--env', 'ANNEX_ALLOW_INSTALLS=0'],
        ...['--env', 'NODE_OPTIONS=--import=/app/node_modules/annex/loader.mjs'],
        ...['--workdir', '/app', ...flags, application, '/node', ...command],
      ]);
    const cli = '/app/node_modules/annex/dist/cli/main.js';
    const mount = () => `--mount=type=image,source=${layer},destination=/opt/annex`;

    const load = async (...flags: string[]) => {
      const { code, stdout, stderr } = await start(
        ['--input-type=module', '--eval', PROGRAM],
        ...flags,
      );
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };

    test('uid 10000 loads the addon from the mounted image', async () => {
      expect(await load(mount())).toEqual({ marker: 'sound' });
    });

    test('on a noexec mount it is passed over, with the reason', async () => {
      const at = await podman('image', 'mount', layer);
      const { code, cause } = await load(`--volume=${at}:/opt/annex:ro,noexec`);
      await podman('image', 'unmount', layer);
      expect({ code, cause }).toMatchObject({
        code: 'ERR_MODULE_NOT_FOUND',
        cause: {
          code: 'ANNEX_DENIED',
          hint: expect.stringMatching(/^mount the layer without noexec/),
        },
      });
      expect(cause.message).toMatch(/, and \/opt\/annex\/\S+: its volume is mounted noexec/);
    });

    test('a file that was changed below the mount is found by annex verify, and by verify: load', async () => {
      const format = '--format={{.GraphDriver.Data.UpperDir}}';
      const files = await podman('image', 'inspect', format, layer);
      const path = readdirSync(files, { recursive: true, encoding: 'utf8' }).find((each) =>
        each.endsWith('/node_modules/bound/index.cjs'),
      );
      writeFileSync(join(files, path ?? ''), "exports.marker = 'CHANGED';");
      const verified = await start([cli, 'verify'], mount());
      expect(verified).toMatchObject({ code: 1, stderr: '' });
      expect(verified.stdout).toContain('index.cjs');
      const operator = sandbox.write('operator.json', { verify: 'load' });
      const hashing = [
        `--volume=${operator}:/operator.json:ro`,
        '--env=ANNEX_CONFIG=/operator.json',
      ];
      expect((await load(mount(), ...hashing)).cause).toMatchObject({ code: 'ANNEX_INTEGRITY' });
      // Whoever can change this layer can change the application too.
      expect(await load(mount())).toEqual({ marker: 'CHANGED' });
    });
  },
);
