/** Builds the base, the image and the packages before the tests of the image, and removes containers afterwards. */
import type { TestProject } from 'vitest/node';
import { buildImage, buildLock } from './build.ts';
import { dockerProblem } from './docker.ts';
import { preparePackages } from './packages.ts';
import { containerProblem, podman, runLabel, tryRun } from './podman.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Id of the image as shipped, on Node 24; empty without containers. */
    image: string;
  }
}

/** @throws in CI if containers are unavailable */
export async function setup(project: TestProject): Promise<void> {
  if (dockerProblem !== undefined && process.env.CI) throw new Error(dockerProblem);
  process.env.ANNEX_IMAGE_RUN = String(process.pid);
  // Two projects run this, one after the other.
  process.env.ANNEX_IMAGE ??= containerProblem === undefined ? await prepareImage() : '';
  project.provide('image', process.env.ANNEX_IMAGE);
}

async function prepareImage(): Promise<string> {
  // Otherwise old builds would fill the cache.
  const prune = ['podman', 'image', 'prune', '--force', '--filter', 'until=48h'];
  await tryRun('flock', [buildLock, ...prune], { timeout: 900_000 });
  await preparePackages();
  return await buildImage();
}

/** Removes what failed tests left behind. */
export async function teardown(): Promise<void> {
  if (containerProblem !== undefined) return;
  const filter = `label=${runLabel()}`;
  const left = await podman('ps', '--all', '--quiet', '--filter', filter);
  if (left !== '') await podman('rm', '--force', '--volumes', '--time', '0', ...left.split('\n'));
  const networks = await podman('network', 'ls', '--quiet', '--filter', filter);
  if (networks !== '') await podman('network', 'rm', '--force', ...networks.split('\n'));
}
