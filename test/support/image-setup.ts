/** Before the tests of the image: its base, the image itself and the packages are there; afterwards nothing runs. */
import type { TestProject } from 'vitest/node';
import { buildImage } from './image-build.ts';
import { preparePackages } from './image-packages.ts';
import { containerProblem } from './image-podman.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The id of the image as it ships, on Node 24; empty where there are no containers. */
    image: string;
  }
}

/** @throws in CI, where containers have to be there */
export async function setup(project: TestProject): Promise<void> {
  if (containerProblem !== undefined && process.env.CI) throw new Error(containerProblem);
  const image = containerProblem === undefined ? await buildImage() : '';
  if (image !== '') await preparePackages();
  project.provide('image', image);
}
