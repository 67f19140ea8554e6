/** Builds the example's image from its own Dockerfile, unchanged, with the annex of this checkout. */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../../../../test/support/package.ts';
import { removeTree } from '../../../../test/support/tree.ts';
import { type Line, prepareBase } from './bases.ts';
import { certificates, containerCache, run } from './podman.ts';

/** What to build. */
export interface BuildOptions {
  /** Node's release line; 24, the Dockerfile's own, by default. */
  node?: Line;
  /** More build arguments: `{ BAKE: 'search.exa' }`. */
  buildArgs?: Record<string, string>;
  /** Changes the context before it is built: the directory has what the example has, and annex's tarball. */
  change?: (context: string) => void;
}

/** One build at a time: two take each other's layers away while they look for what is cached. */
export const buildLock = join(containerCache, 'build.lock');

/** Where the example is. */
export const example = join(repositoryRoot, 'examples', 'immutable-image');

/**
 * Makes a directory with what the example has, and annex's tarball.
 * @param change changes it
 * @returns its path; whoever asked removes it
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
 * Builds an image. What has been built before comes from the layers' cache.
 * @returns the image's id
 * @throws what the build said, when it fails
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
      timeout: 300_000,
    });
    return output.split('\n').at(-1) ?? '';
  } finally {
    removeTree(context);
  }
}
