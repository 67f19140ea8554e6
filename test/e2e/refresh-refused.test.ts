/** `annex refresh` skips features that may not be refreshed, with the reason, and exits with 0 in a boot hook. */
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { declare, names, open, plant, read } from '../support/refresh-world.ts';
import type { RunOptions } from '../support/sandbox.ts';
import { removeTree } from '../support/tree.ts';
import { asPlainUser, giveTo } from '../support/user.ts';

describe.each(outerNodes)('$label', (node) => {
  test('a blocked release is skipped, with the reason, and stays', async () => {
    const { sandbox, refresh, install } = await open(node);
    await install('alpha');
    const before = sandbox.digest(sandbox.store);
    const blocked = [{ spec: 'alpha@1.0.0', reason: 'stolen' }];
    sandbox.setCore({ features: declare('^1.0.0'), blocked });
    expect(read(await refresh())).toMatchObject({
      alpha: { outcome: 'skipped', reason: expect.stringMatching(/stolen/) },
    });
    expect(sandbox.digest(sandbox.store)).toMatchObject(before);
  });

  test('an unreachable host is tried for one feature, and again by the next refresh', async () => {
    const { sandbox, registry, refresh } = await open(node);
    for (const name of names) plant(sandbox, name, { abi: 'node1-linux-x64-glibc' });
    registry.fault({ kind: 'status', status: 503 }, /./);
    for (const _ of [1, 2]) {
      const asked = registry.requests.length;
      const found = read(await refresh());
      expect(Object.keys(found)).toEqual(names);
      expect(found).toMatchObject({
        alpha: { outcome: 'failed', code: 'ANNEX_OFFLINE' },
        beta: { outcome: 'failed', reason: expect.stringMatching(/ failed for alpha: /) },
        delta: { outcome: 'failed', reason: expect.stringMatching(/ failed for alpha: /) },
      });
      const requests = registry.requests.slice(asked);
      expect(requests.length).toBeGreaterThan(0);
      expect(requests.filter((line) => !line.includes('alpha'))).toEqual([]);
    }
  });

  test('skipped, with the reason: packages of the core, invalid declarations, denied installs', async () => {
    const { sandbox, registry, refresh } = await open(node);
    sandbox.addPackage('app/node_modules', esmPackage('alpha', '1.0.0', 'core'));
    sandbox.addPackage('app/node_modules', esmPackage('beta', '0.1.0', 'core'));
    const features = { ...declare('^1.0.0'), gamma: 'latest', delta: '^3.0.0' };
    sandbox.setCore({ features }, { dependencies: { alpha: '*', beta: '*' } });
    for (const name of names) plant(sandbox, name);
    const before = sandbox.digest(sandbox.store);
    const off = await refresh({ env: { ANNEX_ALLOW_INSTALLS: 'no' } });
    expect(read(off)).toMatchObject({
      alpha: { outcome: 'core', versions: { alpha: expect.any(String) } },
      beta: {
        outcome: 'skipped',
        code: 'ANNEX_CONFLICT',
        reason: expect.stringMatching(/core ships beta 0\.1\.0/),
      },
      gamma: {
        outcome: 'skipped',
        code: 'ANNEX_INVALID_CONFIG',
        reason: expect.stringMatching(/latest/),
      },
      delta: {
        outcome: 'skipped',
        code: 'ANNEX_DENIED',
        reason: expect.stringMatching(/ANNEX_ALLOW_INSTALLS/),
      },
    });
    expect(sandbox.digest(sandbox.store)).toEqual(before);
    expect(registry.requests).toEqual([]);
  });

  test('a boot hook with set -e continues after any failure', async () => {
    const { sandbox, registry, env } = await open(node, true);
    const cli = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
    const hook = async (options: RunOptions = {}) => {
      const args = ['-ec', 'node "$0" refresh; echo started', cli];
      const all = { env: { ...env, ...options.env } };
      return sandbox.exec('/bin/sh', args, { ...options, ...all });
    };
    plant(sandbox, 'alpha', { abi: 'node1-linux-x64-glibc' });
    giveTo(asPlainUser, dirname(sandbox.store));
    const seal = (mode: string) => sandbox.exec('chmod', ['-R', mode, dirname(sandbox.store)]);
    const outcomes: [string, () => unknown, RegExp, RegExp, RunOptions?][] = [
      ['all is well', () => {}, /^alpha: refreshed, alpha 1\.0\.0 \(.*\)\nstarted\n$/, /installed/],
      [
        'a volume that cannot be written',
        async () => {
          removeTree(join(sandbox.store, 'v1', 'any'));
          await seal('a-w');
        },
        /^alpha: failed \(ANNEX_STORE_UNUSABLE\): .*\nstarted\n$/,
        /ANNEX_STORE_UNUSABLE/,
      ],
      [
        'an unreachable registry',
        async () => {
          await seal('u+w');
          await registry.stop();
        },
        /^alpha: failed \(ANNEX_OFFLINE\): .*\nstarted\n$/,
        /ANNEX_OFFLINE/,
      ],
      [
        'a store that is not a directory',
        () => {},
        /^nothing to refresh: .*\nstarted\n$/,
        /STORE_UNUSABLE/,
        { env: { ANNEX_STORE: 'relative' } },
      ],
      [
        'a package.json that does not parse',
        () => sandbox.write('app/package.json', '{'),
        /^nothing to refresh: .*\nstarted\n$/,
        /ANNEX_INVALID_CONFIG/,
      ],
      [
        'no application',
        () => {},
        /^nothing to refresh: .*\nstarted\n$/,
        /ANNEX_INVALID_CONFIG/,
        { cwd: 'home' },
      ],
    ];
    for (const [what, prepare, stdout, stderr, options] of outcomes) {
      await prepare();
      const ended = await hook({ ...asPlainUser, ...options });
      expect({ what, code: ended.code }).toEqual({ what, code: 0 });
      expect(ended.stdout, what).toMatch(stdout);
      expect(ended.stderr, what).toMatch(stderr);
    }
  });

  test('a usage error exits with 2', async () => {
    const { sandbox } = await open(node);
    for (const args of [['alpha'], ['--all'], ['--days', '1']]) {
      expect((await sandbox.annex(['refresh', ...args])).code).toBe(2);
    }
  });
});
