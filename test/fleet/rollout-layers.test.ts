/** An image for each feature, mounted in `/layers`: rolled forward and back by digest. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  containerProblem,
  podman,
  run,
  tryRun,
} from '../../examples/immutable-image/test/support/podman.ts';
import { closeLater } from '../support/close.ts';
import { esmPackage } from '../support/fixtures.ts';
import { type ImageRegistry, startImageRegistry } from '../support/image-registry.ts';
import { lock } from '../support/lock-files.ts';
import { readImages } from '../support/oci.ts';
import { makeVolume, startPod, writePodProgram } from '../support/pods.ts';
import { findProgram } from '../support/programs.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const missing = ['skopeo', 'docker-registry'].filter((name) => !findProgram(name));
const problem =
  containerProblem ?? (missing.length > 0 ? `${missing.join(', ')} cannot be found` : undefined);
const features = { kit: '^1.0.0', other: '^1.0.0' };

/** A version of the application, and the image of each feature. */
interface Version {
  app: Sandbox;
  images: Record<string, { reference: string; blob: string }>;
}

describe.runIf(problem === undefined)(
  `an image for each feature${problem === undefined ? '' : ` (skipped: ${problem})`}`,
  () => {
    let registry: Registry;
    let images: ImageRegistry;
    let volume: string;
    let before: Version;
    let after: Version;

    /** Locks, bakes and pushes a version of the application. */
    const release = async (version: string): Promise<Version> => {
      const app = await createSandbox({ registry, copyAnnex: true });
      app.setCore({ features }, { version });
      writePodProgram(app);
      await lock(app);
      images ??= await startImageRegistry(join(app.root, 'images'));
      const made: Version = { app, images: {} };
      for (const feature of Object.keys(features)) {
        const layout = join(app.root, feature);
        const baked = await app.annex(['bake', '--oci', layout, feature, '--json']);
        expect(baked.code, baked.stderr).toBe(0);
        const { name, digest } = JSON.parse(baked.stdout).image;
        const target = `docker://${images.host}/${feature}:${version}`;
        const options = ['--insecure-policy', 'copy', '--dest-tls-verify=false'];
        await run('skopeo', [...options, `oci:${layout}:${name}`, target]);
        const reference = `${images.host}/${feature}@${digest}`;
        await podman('pull', '--quiet', '--tls-verify=false', reference);
        closeLater(() => tryRun('podman', ['rmi', '--force', reference]));
        const [image] = readImages(layout);
        made.images[feature] = { reference, blob: image?.layers[0]?.digest ?? '' };
      }
      return made;
    };

    beforeAll(async () => {
      registry = await startRegistry([
        esmPackage('kit', '1.0.0', 'kit 1'),
        esmPackage('other', '1.0.0', 'other'),
      ]);
      before = await release('1.0.0');
      await registry.add(esmPackage('kit', '1.1.0', 'kit 2'));
      after = await release('1.1.0');
      volume = makeVolume(before.app, 'data');
    });

    /** Starts a pod with images at names in `/layers`, without installs and network. */
    const start = (app: Sandbox, layers: Record<string, string | undefined>) =>
      startPod({
        app,
        // The Node that has baked.
        line: '20',
        volume,
        env: { ANNEX_STORE: '/data/annex:/layers/*', ANNEX_ALLOW_INSTALLS: '0' },
        options: Object.entries(layers).flatMap(([name, source]) => [
          '--mount',
          `type=image,source=${source},destination=/layers/${name}`,
        ]),
      });
    const mounts = ({ images: { kit, other } }: Version) => ({
      kit: kit?.reference,
      other: other?.reference,
    });

    test('forward and back: the digests of an application are those of its locks, and a feature that did not change is stored once', async () => {
      expect(after.images.kit?.blob).not.toBe(before.images.kit?.blob);
      expect(after.images.other?.blob).toBe(before.images.other?.blob);
      for (const [version, marker] of [
        [before, 'kit 1'],
        [after, 'kit 2'],
        [before, 'kit 1'],
      ] as const) {
        const pod = await start(version.app, mounts(version));
        expect([await pod.load('kit'), await pod.load('other')]).toEqual([
          { marker },
          { marker: 'other' },
        ]);
        expect(pod.said()).toBe('');
        await pod.kill();
      }
      expect(readdirSync(volume)).toEqual([]);
    });

    test('a digest that was not changed with the application is named, with the remedy', async () => {
      const pod = await start(after.app, { ...mounts(after), kit: before.images.kit?.reference });
      expect(await pod.load('other')).toEqual({ marker: 'other' });
      expect(await pod.load('kit')).toMatchObject({
        code: 'ANNEX_DENIED',
        message: expect.stringMatching(
          /\/layers\/kit\/v1\/any\/kit\.[0-9a-f]{32}\.0 is of another lock/,
        ),
        hint: expect.stringMatching(/^bake the layer again from this lock, or /),
      });
      expect((await pod.annex('list', '--check')).code).toBe(1);
      await pod.kill();
    });

    test('the images of both versions can be mounted: each application takes its own', async () => {
      const both = {
        'kit-1': before.images.kit?.reference,
        'kit-2': after.images.kit?.reference,
        other: after.images.other?.reference,
      };
      const [one, two] = await Promise.all([start(before.app, both), start(after.app, both)]);
      expect(await Promise.all([one.load('kit'), two.load('kit')])).toEqual([
        { marker: 'kit 1' },
        { marker: 'kit 2' },
      ]);
      expect((await one.annex('verify')).code).toBe(0);
      for (const pod of [one, two]) await pod.kill();
    });
  },
);
