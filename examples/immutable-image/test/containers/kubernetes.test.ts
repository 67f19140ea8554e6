/** G4, G6 in a pod: podman runs kubernetes.yaml, with and without a registry. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { findProgram } from '../../../../test/support/programs.ts';
import { removeTree } from '../../../../test/support/tree.ts';
import { readFiles, readText } from '../support/contract/files.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem, podman, runLabel, tryRun, until } from '../support/podman.ts';

const problem = containerProblem ?? (findProgram('catatonit') ? undefined : 'catatonit is missing');
const manifest = readText(readFiles(), 'kubernetes.yaml');

/**
 * Changes the name, the image and the registry (npm_config_registry) in the manifest.
 * @returns two files: with the claim, and without
 */
function writeManifest(directory: string, name: string, registry: ImageRegistry): string[] {
  const [key, value] = runLabel().split('=') as [string, string];
  const env = Object.entries(registry.env).map(([name, value]) => ({ name, value }));
  const documents = parseAllDocuments(
    manifest.replaceAll('agent:1.0.0', `localhost/${name}:1.0.0`),
  );
  const objects = documents.map((document) => {
    // biome-ignore lint/suspicious/noExplicitAny: another test checks its shape
    const object = document.toJS() as any;
    object.metadata.name = name;
    const pod = object.spec.template;
    if (pod === undefined) return object;
    pod.metadata.labels[key] = value;
    // Podman 4.3 would restart an init container that has ended, and then remove it.
    pod.spec.restartPolicy = 'Never';
    object.metadata.annotations = { 'io.podman.annotations.init.container.type': 'always' };
    pod.spec.volumes[0].persistentVolumeClaim.claimName = name;
    for (const one of [...pod.spec.initContainers, ...pod.spec.containers]) one.env = env;
    return object;
  });
  // The claim is created once: podman rejects an existing one.
  return [objects, objects.slice(1)].map((some, index) => {
    const path = join(directory, `${index}.yaml`);
    writeFileSync(path, some.map((object) => stringify(object)).join('---\n'));
    return path;
  });
}

describe.skipIf(problem && !process.env.CI)(`a pod${problem ? `: ${problem}` : ''}`, () => {
  let registry: ImageRegistry;
  const directory = mkdtempSync(join(tmpdir(), 'annex-pod-'));
  const name = `annex-pod-${randomBytes(4).toString('hex')}`;
  const gateway = `${name}-pod-0-gateway`;
  let first = '';
  let next = '';

  beforeAll(async () => {
    registry = await startImageRegistry();
    await podman('tag', inject('image'), `localhost/${name}:1.0.0`);
    [first = '', next = ''] = writeManifest(directory, name, registry);
  });
  afterAll(async () => {
    await tryRun('podman', ['kube', 'down', next]);
    await tryRun('podman', ['volume', 'rm', '--force', name]);
    await tryRun('podman', ['untag', inject('image'), `localhost/${name}:1.0.0`]);
    await registry?.close();
    removeTree(directory);
  });

  /**
   * Starts the pod, init container first, and waits for the gateway.
   * @returns the output of the init container
   */
  async function play(path: string): Promise<string> {
    await podman('kube', 'play', '--network', registry.network, path);
    const isHealthy = async (): Promise<boolean> =>
      (await tryRun('podman', ['exec', gateway, 'agent', 'health'])).code === 0;
    await until('the gateway answers', isHealthy);
    const { stdout, stderr } = await tryRun('podman', ['logs', `${name}-pod-0-install`]);
    return stdout + stderr;
  }

  /** State of each backend. */
  async function listPlaces(): Promise<string[]> {
    const { features: list } = JSON.parse(await podman('exec', gateway, 'annex', 'list', '--json'));
    return (list as { where: string }[]).map(({ where }) => where);
  }

  test('starts without a registry; with one, installs all backends before it starts, and keeps them', async () => {
    await registry.disconnect();
    expect(await play(first)).toMatch(/ANNEX_OFFLINE[\s\S]*going on without what is missing/);
    expect(new Set(await listPlaces())).toEqual(new Set(['failed']));
    await podman('kube', 'down', next);

    await registry.connect();
    await play(next);
    expect(new Set(await listPlaces())).toEqual(new Set(['store']));
    await podman('kube', 'down', next);

    await registry.disconnect();
    await play(next);
    expect(new Set(await listPlaces())).toEqual(new Set(['store']));
  });

  test('runs as user 10000 without capabilities or new privileges, on a read-only root', async () => {
    const script =
      'id -u; grep -E "CapEff|NoNewPrivs" /proc/1/status; touch /opt/app/x || echo sealed';
    const said = await podman('exec', gateway, 'sh', '-c', script);
    expect(said.split(/\s+/)).toEqual([
      '10000',
      'CapEff:',
      '0000000000000000',
      'NoNewPrivs:',
      '1',
      'sealed',
    ]);
  });
});
