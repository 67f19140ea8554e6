/** Builds the example's image from its unchanged Dockerfile, with annex from this repository. */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../../../../test/support/package.ts';
import { removeTree } from '../../../../test/support/tree.ts';
import { type Line, prepareBase } from './bases.ts';
import { certificates, containerCache, run } from './podman.ts';

/** Options of a build. */
export interface BuildOptions {
  /** Release line of Node; default 24, as in the Dockerfile. */
  node?: Line;
  /** More build arguments: `{ BAKE: 'search.exa' }`. */
  buildArgs?: Record<string, string>;
  /** Changes the build context, a copy of the example with annex's tarball. */
  change?: (context: string) => void;
}

/** Lock for one build at a time: concurrent builds remove each other's layers during cache look-ups. */
export const buildLock = join(containerCache, 'build.lock');

/** Directory of the example. */
export const example = join(repositoryRoot, 'examples', 'immutable-image');

/**
 * Creates a build context: a copy of the example with annex's tarball.
 * @param change changes the context
 * @returns its path; the caller removes it
 */
export async function makeContext(change?: (context: string) => void): Promise<string> {
  const context = mkdtempSync(join(tmpdir(), 'annex-image-'));
  cpSync(example, context, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !/\/node_modules$|\/immutable-image\/test$|\.tgz$/.test(path),
  });
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', context];
  await run('npm', pack, { cwd: repositoryRoot });
  change?.(context);
  return context;
}

/**
 * Builds an image. Unchanged layers come from the cache.
 * @returns the image's id
 * @throws the output of the build, when it fails
 * @example
 * const image = await buildImage({ node: '22', buildArgs: { BAKE: 'search.exa' } });
 */
export async function buildImage({
  node = '24',
  buildArgs = {},
  change,
}: BuildOptions = {}): Promise<string> {
  const base = await prepareBase(node);
  const context = await makeContext(change);
  try {
    const asked = { ...(node !== '24' && { BASE: base }), ...buildArgs };
    const args = Object.entries(asked).flatMap(([key, value]) => [
      '--build-arg',
      `${key}=${value}`,
    ]);
    const usual = ['--isolation', 'chroot', '--pull-never', '--layers', '--format', 'docker'];
    const mount = `${certificates}:${certificates}:ro`;
    const build = [buildLock, 'buildah', 'bud', ...usual, '-v', mount, ...args, context];
    const output = await run('flock', build, {
      timeout: 900_000,
    });
    return output.split('\n').at(-1) ?? '';
  } finally {
    removeTree(context);
  }
}
