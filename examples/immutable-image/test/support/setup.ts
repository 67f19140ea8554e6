/** Before the tests of the image: its base, the image itself and the packages are there; afterwards nothing runs. */
import type { TestProject } from 'vitest/node';
import { buildImage, buildLock } from './build.ts';
import { dockerProblem } from './docker.ts';
import { preparePackages } from './packages.ts';
import { containerProblem, podman, runLabel, tryRun } from './podman.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The id of the image as it ships, on Node 24; empty where there are no containers. */
    image: string;
  }
}

/** @throws in CI, where containers have to be there */
export async function setup(project: TestProject): Promise<void> {
  if (dockerProblem !== undefined && process.env.CI) throw new Error(dockerProblem);
  process.env.ANNEX_IMAGE_RUN = String(process.pid);
  // Two projects ask, one after the other.
  process.env.ANNEX_IMAGE ??= containerProblem === undefined ? await prepareImage() : '';
  project.provide('image', process.env.ANNEX_IMAGE);
}

async function prepareImage(): Promise<string> {
  // Of what was built days ago the cache would grow for ever.
  const prune = ['podman', 'image', 'prune', '--force', '--filter', 'until=48h'];
  await tryRun('flock', [buildLock, ...prune], { timeout: 300_000 });
  await preparePackages();
  return await buildImage();
}

/** Removes what a failed test has left. */
export async function teardown(): Promise<void> {
  if (containerProblem !== undefined) return;
  const filter = `label=${runLabel()}`;
  const left = await podman('ps', '--all', '--quiet', '--filter', filter);
  if (left !== '') await podman('rm', '--force', '--volumes', '--time', '0', ...left.split('\n'));
  const networks = await podman('network', 'ls', '--quiet', '--filter', filter);
  if (networks !== '') await podman('network', 'rm', '--force', ...networks.split('\n'));
}
