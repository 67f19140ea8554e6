/** An application with a component of examples/fleet: kubectl builds the objects, and podman plays them. */
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  checkKubernetes,
  parseYaml,
} from '../../examples/immutable-image/test/support/manifests.ts';
import {
  containerProblem,
  run,
  tryRun,
  until,
} from '../../examples/immutable-image/test/support/podman.ts';
import { type Debian13, startDebian13 } from '../support/debian13.ts';
import { listBlocks, readDocument } from '../support/documents.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { type Changes, type Component, components, writeFleet } from '../support/fleet-example.ts';
import { findPort } from '../support/free-port.ts';
import { buildFromScratch } from '../support/from-scratch.ts';
import { type ImageRegistry, startImageRegistry } from '../support/image-registry.ts';
import { lock } from '../support/lock-files.ts';
import { repositoryRoot } from '../support/package.ts';
import { findProgram } from '../support/programs.ts';
import { openWorld, type World } from '../support/world.ts';

const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { alpha: '^1.0.0' }),
  esmPackage('alpha', '1.0.0', 'alpha'),
  esmPackage('other', '3.0.0', 'other'),
];

/** A feature as `annex list --json` has it. */
interface Listed {
  feature: string;
  where: string;
  /** Whether its layer is as trusted as core. */
  isUnhashed?: boolean;
}

/** The application: answers with what it has loaded, as whom, and what it can write. */
const SERVER = `
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
const tryWrite = (directory) => {
  try { writeFileSync(directory + '/new', ''); } catch (error) { return [directory, error.code]; }
};
const directories = ['/app', '/opt/annex/v1', '/opt/data/annex', '/tmp'].filter((path) => existsSync(path));
createServer(async (request, response) => {
  const { marker: kit } = await import('kit');
  const { marker: other } = await import('other');
  const networks = Object.keys(networkInterfaces());
  const written = Object.fromEntries(directories.map(tryWrite).filter((refused) => refused));
  response.end(JSON.stringify({ kit, other, uid: process.getuid(), networks, written }));
}).listen(process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => process.exit());
`;

const missing = ['skopeo', 'docker-registry'].filter((name) => !findProgram(name));
const problem =
  containerProblem ?? (missing.length > 0 ? `${missing.join(', ')} cannot be found` : undefined);

describe.runIf(problem === undefined)(
  `examples/fleet${problem === undefined ? '' : ` (skipped: ${problem})`}`,
  () => {
    const application = 'localhost/annex-fleet-shop';
    let world: World;
    let images: ImageRegistry;
    let debian: Debian13;

    beforeAll(async () => {
      const annex = { features: { kit: '^1.0.0', other: '^3.0.0' } };
      world = await openWorld({ packages, annex, copyAnnex: true });
      world.sandbox.write('app/server.mjs', SERVER);
      await lock(world.sandbox);
      images = await startImageRegistry(join(world.sandbox.root, 'images'));
      debian = await startDebian13(images.host);
      const variables = { ANNEX_CORE: '/app', ANNEX_SEALED: '1' };
      await buildFromScratch(application, { '/app': world.sandbox.core }, variables);
      const push = ['push', '--quiet', '--tls-verify=false', application];
      await run('podman', [...push, `docker://${images.host}/shop:2.1.0`]);
    });

    afterAll(async () => {
      await tryRun('podman', ['rmi', '--force', application]);
    });

    /** What kubectl builds of the application, a component and changes. */
    async function build(component: Component, changes: Changes = {}): Promise<string> {
      const root = join(world.sandbox.root, `deploy-${component}`);
      writeFleet(root, component, changes);
      return `${await debian.run('kubectl', 'kustomize', root)}\n`;
    }

    test.each(components)('kubectl builds what test/data has for %s', async (component) => {
      const path = join(repositoryRoot, 'test/data/fleet', `${component}.yaml`);
      await expect(await build(component)).toMatchFileSnapshot(path);
    });

    test('kubectl builds what the README writes into an empty directory', async () => {
      const { sandbox } = world;
      sandbox.write('deploy/.keep', '');
      symlinkSync(repositoryRoot, join(sandbox.root, 'annex'));
      const [block] = listBlocks(readDocument('examples/fleet/README.md'));
      const [script = '', command] = block?.code.split(/\n(?=kubectl )/) ?? [];
      const deploy = join(sandbox.root, 'deploy');
      await run('sh', ['-e', '-c', script], { cwd: deploy });
      expect(command).toBe('kubectl kustomize .\n');
      const objects = parseYaml(await debian.run('kubectl', 'kustomize', deploy));
      expect(checkKubernetes(objects)).toEqual([]);
      expect(objects).toMatchObject([{ metadata: { name: 'agent', namespace: 'default' } }]);
    });

    test.each([
      ['layer', 'Deployment', '  name: shop\nspec:\n  replicas', /shop/],
      ['volume', 'Deployment', '  name: shop\nspec:\n  replicas', /shop/],
      ['volume', 'container', '- name: web\n', /\[name=web\]\.image` is missing/],
    ] as const)(
      'kubectl refuses %s for a %s of another name',
      async (component, what, line, why) => {
        const root = join(world.sandbox.root, `other-${component}-${what}`);
        writeFleet(root, component);
        const path = join(root, 'base/deployment.yaml');
        const text = readFileSync(path, 'utf8');
        expect(text).toContain(line);
        writeFileSync(path, text.replace(line, line.replace(/shop|web/, 'other')));
        const { code, stderr } = await debian.tryRun('kubectl', 'kustomize', root);
        expect(code).not.toBe(0);
        expect(stderr).toMatch(why);
      },
    );

    /** The images of the Deployment in the registry of this test, and another port. */
    const inRegistry = (port: number) => `images:
  - { name: shop, newName: ${images.host}/shop }
  - { name: clock, newName: ${images.host}/shop, newTag: 2.1.0 }
patches:
  - target: { kind: Deployment }
    patch: |-
      - { op: replace, path: /spec/template/spec/containers/0/env/2/value, value: "${port}" }
`;

    const web = 'shop-pod-web';

    /** Plays the objects. Returns the file, for `down`. */
    async function play(objects: string, ...options: string[]): Promise<string> {
      const file = world.sandbox.write('objects.yaml', objects);
      await debian.run('podman', 'kube', 'play', ...options, file);
      return file;
    }

    /** What the application answers, and what annex lists in its container. */
    async function ask(): Promise<{ answer: unknown; list: object }> {
      const program = `const answer = await fetch('http://127.0.0.1:' + process.env.PORT);
        console.log(await answer.text());`;
      const node = ['exec', web, '/node'];
      const loaded = await until(
        'the application answers',
        async () => {
          const args = [...node, '--input-type=module', '--eval', program];
          const { code, stdout, stderr } = await debian.tryRun('podman', ...args);
          if (code !== 0) throw new Error(stderr);
          return stdout;
        },
        60,
      );
      const main = '/app/node_modules/annex/dist/cli/main.js';
      const listed = await debian.run('podman', ...node, main, 'list', '--json');
      const { features } = JSON.parse(listed) as { features: Listed[] };
      const list = Object.fromEntries(
        features.map(({ feature, where, isUnhashed }) => [feature, [where, isUnhashed]]),
      );
      return { answer: JSON.parse(loaded), list };
    }

    test('podman mounts the layer by its digest; without network, uid 10000 loads from it', async () => {
      const { sandbox } = world;
      const layout = join(sandbox.root, 'layout');
      const { stdout } = await sandbox.annex(['bake', '--oci', layout, '--json']);
      const { name, digest } = JSON.parse(stdout).image;
      const copy = [
        '--insecure-policy',
        'copy',
        '--dest-tls-verify=false',
        `oci:${layout}:${name}`,
      ];
      await run('skopeo', [...copy, `docker://${images.host}/annex:${name}`]);
      const reference = `${images.host}/annex@${digest}`;
      const objects = await build('layer', { reference, more: inRegistry(8080) });
      const file = await play(objects, '--network=none');
      const { answer, list } = await ask();
      expect(answer).toEqual({
        kit: 'kit',
        other: 'other',
        uid: 10_000,
        networks: ['lo'],
        written: { '/app': 'EROFS', '/opt/annex/v1': expect.stringMatching(/EROFS|EACCES/) },
      });
      expect(list).toEqual({ kit: ['layer', true], other: ['layer', true] });
      expect(await debian.run('podman', 'logs', web)).toBe('');
      await debian.run('podman', 'kube', 'down', file);
    });

    test('the init container fills the volume, which the application cannot write', async () => {
      const { registry } = world;
      const owner = `  - target: { kind: PersistentVolumeClaim }
    patch: |-
      - op: add
        path: /metadata/annotations
        value: { volume.podman.io/uid: "10000", volume.podman.io/gid: "10000" }
`;
      const objects = await build('volume', {
        command: ['/node', '/app/node_modules/annex/dist/cli/main.js'],
        registry: registry.url,
        more: inRegistry(await findPort()) + owner,
      });
      const file = await play(objects, '--network=host');
      const expected = {
        answer: {
          kit: 'kit',
          other: 'other',
          uid: 10_000,
          networks: expect.anything(),
          written: { '/app': 'EROFS', '/opt/data/annex': 'EROFS' },
        },
        list: { kit: ['store', undefined], other: ['store', undefined] },
      };
      expect(await ask()).toEqual(expected);
      await debian.run('podman', 'kube', 'down', file);

      await registry.stop();
      const [, , deployment = ''] = objects.split('---\n');
      await play(deployment, '--network=host');
      expect(await ask()).toEqual(expected);
      expect(await debian.run('podman', 'logs', web)).toBe('');
      await debian.run('podman', 'kube', 'down', file);
    });
  },
);
