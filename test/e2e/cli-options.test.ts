/** Options and aliases that many commands share, and names that may be meant. */
import { relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { outerNodes } from '../support/nodes.ts';

describe.each(outerNodes)('$label', (node) => {
  const open = async () => {
    const world = await openCli(node);
    const features = { alpha: '^1.0.0', 'search.beta': { packages: { beta: '^2.0.0' } } };
    world.sandbox.setCore({ features });
    return world;
  };

  test('-C and --core name the application, relative to the working directory and to -C', async () => {
    const { sandbox, annex } = await open();
    const plain = await annex(['list', '--json']);
    for (const args of [
      ['-C', '../app', 'list'],
      ['list', `--directory=${sandbox.core}`],
      ['list', '--core', '../app'],
      ['list', '-C', '..', '--core', 'app'],
    ]) {
      const { code, stdout } = await annex([...args, '--json'], { cwd: 'home' });
      expect({ args, code, stdout }).toEqual({ args, code: 0, stdout: plain.stdout });
    }
    const env = { ANNEX_CORE: '/absent' };
    expect((await annex(['list', '--core', '.', '--json'], { env })).stdout).toBe(plain.stdout);
  });

  test('--store names the store and its layers in place of ANNEX_STORE', async () => {
    const { sandbox, layer, annex, plant } = await open();
    const dir = plant('alpha', '1.0.0', { store: layer });
    const env = { ANNEX_STORE: '/absent' };
    const stores = `../store:${relative(sandbox.core, layer)}`;
    const listed = await annex(['list', '--store', stores, '--json'], { env });
    const [alpha] = JSON.parse(listed.stdout).features;
    expect(alpha).toMatchObject({ where: 'layer', dir });
    const removed = await annex(['uninstall', 'alpha', '--store', layer, '--json'], { env });
    expect(JSON.parse(removed.stdout)).toMatchObject({ removed: [dir] });
  });

  test('ls and status are list, rm is remove', async () => {
    const { annex } = await open();
    const { stdout } = await annex(['list']);
    for (const alias of ['ls', 'status']) expect((await annex([alias])).stdout).toBe(stdout);
    expect((await annex(['rm', 'alpha'])).stdout).toMatch(/^removed alpha from /);
  });

  test('a mistyped feature or package is answered with the one that may be meant', async () => {
    const { annex } = await open();
    for (const [args, meant] of [
      [['install', 'alhpa'], 'alpha'],
      [['lock', 'search.bet'], 'search.beta'],
      [['uninstall', 'bata'], 'beta'],
      [['remove', 'alpa'], 'alpha'],
      [['remove', 'bet', '--feature', 'search.beta'], 'beta'],
    ] as const) {
      const { code, stderr } = await annex(args);
      expect({ args, code, stderr }).toEqual({
        args,
        code: 1,
        stderr: expect.stringMatching(new RegExp(`did you mean ${meant}\\? ?`, 'i')),
      });
    }
    const far = await annex(['install', 'react']);
    expect(far.stderr).not.toMatch(/did you mean/i);
    const why = await annex(['why', 'alpah/sub']);
    expect({ code: why.code, stdout: why.stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/\nDid you mean alpha\?\n$/),
    });
  });
});
