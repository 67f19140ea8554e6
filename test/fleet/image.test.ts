/** An image of features on its way: skopeo, umoci, a registry, and podman, which mounts it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  containerProblem,
  podman,
  run,
  tryRun,
} from '../../examples/immutable-image/test/support/podman.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { buildFromScratch } from '../support/from-scratch.ts';
import { type ImageRegistry, startImageRegistry } from '../support/image-registry.ts';
import { lock } from '../support/lock-files.ts';
import { findProgram } from '../support/programs.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { removeTree } from '../support/tree.ts';
import { openWorld } from '../support/world.ts';

const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { alpha: '^1.0.0' }),
  esmPackage('alpha', '1.0.0', 'alpha'),
  esmPackage('other', '3.0.0', 'other'),
];

const missing = ['skopeo', 'umoci', 'docker-registry'].filter((name) => !findProgram(name));
const problem =
  containerProblem ?? (missing.length > 0 ? `${missing.join(', ')} cannot be found` : undefined);

describe.runIf(problem === undefined)(
  `an image of features${problem === undefined ? '' : ` (skipped: ${problem})`}`,
  () => {
    const application = 'localhost/annex-fleet-app';
    let sandbox: Sandbox;
    let layout: string;
    let baked: { name: string; digest: string };
    let images: ImageRegistry;
    /** The image in the registry, by its digest. */
    let reference: string;

    const bake = async (...args: string[]) => {
      const { code, stdout, stderr } = await sandbox.annex(['bake', '--oci', ...args, '--json']);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout).image;
    };

    beforeAll(async () => {
      const annex = { features: { kit: '^1.0.0', other: '^3.0.0' } };
      const world = await openWorld({ packages, annex, copyAnnex: true });
      ({ sandbox } = world);
      await lock(sandbox);
      layout = join(sandbox.root, 'layout');
      baked = await bake(layout);
      await world.registry.stop();
      images = await startImageRegistry(join(sandbox.root, 'images'));
      reference = `${images.host}/annex@${baked.digest}`;
      await buildFromScratch(application, { '/app': sandbox.core });
    });

    afterAll(async () => {
      await tryRun('podman', ['rmi', '--force', application]);
    });

    const pull = () => tryRun('podman', ['pull', '--tls-verify=false', reference]);

    test('umoci unpacks it, and finds no error in the layout', async () => {
      const bundle = join(sandbox.root, 'bundle');
      await run('umoci', ['unpack', '--image', `${layout}:${baked.name}`, bundle]);
      const env = { ANNEX_STORE: `${sandbox.store}:${join(bundle, 'rootfs')}` };
      const { code, stdout } = await sandbox.annex(['verify', '--json'], { env });
      expect({ code, entries: JSON.parse(stdout).entries }).toMatchObject({
        code: 0,
        entries: [
          { feature: 'kit', isAnchored: true },
          { feature: 'other', isAnchored: true },
        ],
      });
      removeTree(bundle);
    });

    test('skopeo copies it to a registry, which has it by the digest that annex printed', async () => {
      const source = `oci:${layout}:${baked.name}`;
      const target = `docker://${images.host}/annex:${baked.name}`;
      const options = ['--insecure-policy', 'copy', '--dest-tls-verify=false'];
      await run('skopeo', [...options, source, target]);
      const inspect = ['inspect', '--tls-verify=false', '--format', '{{.Digest}}'];
      expect(await run('skopeo', [...inspect, target])).toBe(baked.digest);
      const raw = await run('skopeo', ['inspect', '--tls-verify=false', '--raw', target]);
      const file = join(layout, 'blobs', baked.digest.replace(':', '/'));
      expect(raw).toBe(readFileSync(file, 'utf8'));
    });

    test('podman mounts it read-only; uid 10000 loads it without network and capabilities', async () => {
      expect(await pull()).toMatchObject({ code: 0 });
      const program = `
      import { writeFileSync } from 'node:fs';
      const { marker: kit } = await import('kit');
      const { marker: other } = await import('other');
      let code;
      try { writeFileSync('/opt/annex/v1/new', ''); } catch (error) { code = error.code; }
      console.log(JSON.stringify({ kit, other, code, uid: process.getuid() }));`;
      const ran = await tryRun('podman', [
        ...['run', '--rm', '--network=none', '--read-only', '--cap-drop=all', '--user=10000'],
        ...['--mount', `type=image,source=${reference},destination=/opt/annex`],
        ...['--env', 'ANNEX_STORE=/data/annex:/opt/annex', '--env', 'ANNEX_SEALED=1'],
        ...['--env', 'NODE_OPTIONS=--import=/app/node_modules/annex/loader.mjs'],
        ...['--workdir', '/app', application],
        ...['/node', '--input-type=module', '--eval', program],
      ]);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      const { code, ...loaded } = JSON.parse(ran.stdout);
      expect(loaded).toEqual({ kit: 'kit', other: 'other', uid: 10_000 });
      expect(['EROFS', 'EACCES']).toContain(code);
      await podman('rmi', reference);
    });

    test('podman refuses a changed layer', async () => {
      const manifest = join(layout, 'blobs', baked.digest.replace(':', '/'));
      const [layer] = JSON.parse(readFileSync(manifest, 'utf8')).layers;
      const blob = images.blob(layer.digest);
      const bytes = readFileSync(blob);
      // The time in the header of gzip: the size and the content stay the same.
      bytes[4] = 1;
      writeFileSync(blob, bytes);
      const refused = await pull();
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(`Digest did not match, expected ${layer.digest}`);
    });
  },
);
