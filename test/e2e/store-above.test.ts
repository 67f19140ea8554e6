/** Directories above a store: root follows no link that another user can change. */
import { chmodSync, lchownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { outerNodes } from '../support/nodes.ts';
import { PLAIN_USER } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'from-registry')];
const annex = { features: { alpha: '^1.0.0' } };
const { uid, gid } = PLAIN_USER;

/** Paths below the sandbox, with those of the application's user; `volume` is another device. */
const ROWS = [
  [
    'a link of the user in a directory of root',
    ['open/link'],
    'open/link/store',
    /open\/link belongs to uid 4711/,
  ],
  [
    'a link of the user in a directory of the user',
    ['own', 'own/link'],
    'own/link/store',
    /own\/link belongs to uid 4711/,
  ],
  [
    'a link of root in a directory of the user',
    ['own'],
    'own/link/store',
    /own belongs to uid 4711/,
  ],
  [
    'a link of root to a link of the user',
    ['open/link'],
    'first/store',
    /open\/link belongs to uid 4711/,
  ],
  [
    'a store that is a link of the user',
    ['open/link'],
    'open/link',
    /open\/link belongs to uid 4711/,
  ],
  ['links of root in directories of root', [], 'first/store', undefined],
] as const;

describe.runIf(canMount())('links above a store on another device, for root', () => {
  for (const node of outerNodes) {
    test.for(ROWS)(`${node.label}: %s`, async ([, owned, path, reason], context) => {
      const { sandbox } = await openWorld({ packages, annex });
      const at = (name: string): string => join(sandbox.root, name);
      for (const name of ['victim', 'open', 'own']) mkdirSync(at(name));
      mount('-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs', at('victim'));
      context.onTestFinished(() => void unmount(at('victim')));
      mkdirSync(at('victim/store'));
      mkdirSync(at('victim/v1/retired/kept'), { recursive: true });
      mkdirSync(at('victim/store/v1/retired/kept'), { recursive: true });
      symlinkSync('../victim', at('open/link'));
      symlinkSync(at('victim'), at('own/link'));
      symlinkSync('open/link', at('first'));
      for (const name of owned) lchownSync(at(name), uid, gid);
      chmodSync(sandbox.root, 0o755);
      const before = sandbox.digest(at('victim'));
      const options = { node: node.path, env: { ANNEX_STORE: at(path) } };
      const { imported } = await importIn(sandbox, ['alpha'], options);
      if (reason === undefined) {
        expect(imported.alpha).toMatchObject({ marker: 'from-registry' });
        return;
      }
      expectRefused(imported.alpha, 'ANNEX_STORE_UNUSABLE', reason, 'alpha');
      for (const command of [['install', 'alpha'], ['uninstall', 'alpha'], ['prune']]) {
        const { code, stderr } = await sandbox.annex(command, options);
        expect(code).toBe(1);
        expect(stderr).toMatch(reason);
      }
      expect(sandbox.digest(at('victim'))).toEqual(before);
    });
  }
});
