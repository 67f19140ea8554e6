/** An entry with a deep tree is listed, verified and removed with few file handles. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outerNodes } from '../support/nodes.ts';
import { open, publish, setRetired } from '../support/prune-world.ts';

/** Levels; the path is longer than the limit of the system. */
const DEPTH = 1_000;
/** Limit of file handles of a process of annex. */
const HANDLES = 100;

/** Makes the tree step by step: no call accepts the whole path. */
const DIGGER = `
process.chdir(process.argv[2]);
for (let depth = 0; depth < ${DEPTH}; depth += 1) {
  require('node:fs').mkdirSync('directory');
  process.chdir('directory');
  if (depth % 50 === 0) require('node:fs').writeFileSync('file', '');
}
require('node:fs').chmodSync('.', 0o555);
`;

describe.each(outerNodes)('$label', (node) => {
  const enter = async () => {
    const world = await open(node);
    const { sandbox, plant } = world;
    sandbox.write('dig.cjs', DIGGER);
    const dig = (dir: string) => sandbox.run(['../dig.cjs', dir], { node: node.path });
    /** Runs annex with few handles. */
    const annex = (...args: string[]) => {
      const cli = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
      const script = `ulimit -n ${HANDLES} && exec "$0" "$@"`;
      const command = ['-c', script, node.path, cli, ...args];
      return sandbox.exec('sh', command, { env: { ANNEX_STORE: sandbox.store } });
    };
    return { world, sandbox, plant, dig, annex };
  };

  test('annex uninstall removes it, and no other entry', async () => {
    const { sandbox, plant, dig, annex } = await enter();
    const deep = plant('alpha', '1.0.0');
    const other = plant('gone', '1.0.0');
    const before = sandbox.digest(other);
    for (const place of [deep, join(deep, 'node_modules')]) {
      expect(await dig(place)).toMatchObject({ code: 0 });
    }
    const { code, stderr } = await annex('uninstall', 'alpha');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(existsSync(deep)).toBe(false);
    expect(readdirSync(join(sandbox.store, 'v1/retired'))).toEqual([]);
    expect(sandbox.digest(other)).toEqual(before);
  });

  test('annex list and verify report a problem, and annex prune removes it', async () => {
    const { world, sandbox, plant, dig, annex } = await enter();
    const deep = publish(plant('gone', '1.0.0'), 30);
    expect(await dig(join(deep, 'node_modules'))).toMatchObject({ code: 0 });
    expect(await annex('list')).toMatchObject({ code: 0 });
    const verified = await annex('verify');
    expect(verified.code).toBe(1);
    expect(verified.stdout).toContain(deep);
    const first = await annex('prune');
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    setRetired(world, deep, 24.1);
    const { code, stderr } = await annex('prune');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(existsSync(deep)).toBe(false);
    expect(readdirSync(join(sandbox.store, 'v1/retired'))).toEqual([]);
  });
});
