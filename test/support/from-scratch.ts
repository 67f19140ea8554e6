/** Images with Node and nothing else: its binary, the libraries of the host that it loads, and an application. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../examples/immutable-image/test/support/podman.ts';
import { removeTree } from './tree.ts';

/**
 * Imports an image in which Node is `/node`.
 *
 * @param directories path in the image to a directory of this machine
 * @param variables the environment of its containers
 */
export async function buildFromScratch(
  name: string,
  directories: Record<string, string>,
  variables: Record<string, string> = {},
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'annex-scratch-'));
  try {
    const node = process.execPath;
    const libraries = execFileSync('ldd', [node], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
    const files = Object.fromEntries(libraries.map((path) => [path, path]));
    for (const [to, from] of Object.entries({ '/node': node, ...files, ...directories })) {
      const target = join(root, to);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(from, target, { recursive: true, dereference: true });
    }
    mkdirSync(join(root, 'data'));
    const archive = `${root}.tar`;
    await run('tar', ['--owner=0', '--group=0', '-C', root, '-cf', archive, '.']);
    const changes = Object.entries(variables).map(([key, value]) => `--change=ENV ${key}=${value}`);
    await run('podman', ['import', ...changes, archive, name]);
    await run('rm', [archive]);
  } finally {
    removeTree(root);
  }
}
