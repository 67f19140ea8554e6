/** Links and files in place of the store's own directories are reported and not followed. */
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { makeOwner } from '../support/locks.ts';
import { nodes } from '../support/nodes.ts';
import { asPlainUser, giveTo } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const packages = ['alpha', 'beta'].map((name) => esmPackage(name, '1.0.0', 'from-registry'));
const annex = { features: { alpha: '^1.0.0', beta: '^1.0.0' } };

/** Expected behaviour with `alpha`, which has an entry, and with `beta`, which has none. */
const ROWS = [
  ['retired', 'loads', 'installs'],
  ['failures', 'loads', 'installs'],
  ['staging', 'loads', 'fails'],
  ['locks', 'loads', 'fails'],
  ['any', 'fails', 'fails'],
  ['.', 'fails', 'fails'],
] as const;

describe.concurrent.each(nodes)('$label', (node) => {
  test.for(
    ROWS.flatMap(([name, alpha, beta]) =>
      (['link', 'file'] as const).flatMap((kind) =>
        (['plain', 'root'] as const).map((user) => ({ name, alpha, beta, kind, user })),
      ),
    ),
  )('a $kind in the place of v1/$name, as $user: alpha $alpha, beta $beta', async (row) => {
    const { sandbox } = await openWorld({ packages, annex, copyAnnex: true });
    const { store, root } = sandbox;
    sandbox.plantEntry({
      feature: 'alpha',
      packages: [esmPackage('alpha', '1.0.0', 'planted')],
      specs: { alpha: '^1.0.0' },
    });
    const victim = join(root, 'victim');
    const dead = makeOwner({ start: '1' });
    for (const path of ['notes', `beta.${dead}`, `beta.lock/${dead}`, '@registry.json']) {
      mkdirSync(join(victim, path, '..'), { recursive: true });
      writeFileSync(join(victim, path), '');
    }
    const path = join(store, 'v1', row.name);
    mkdirSync(path, { recursive: true });
    renameSync(path, join(root, 'aside'));
    if (row.kind === 'file') writeFileSync(path, '');
    else symlinkSync(victim, path);
    const user = row.user === 'plain' ? asPlainUser : {};
    giveTo(user, store);
    giveTo(user, victim);
    chmodSync(victim, 0o755);
    const before = sandbox.digest(victim);
    const options = { node: node.path, env: { ANNEX_STORE: store }, ...user };
    const message =
      row.kind === 'file'
        ? /is not a directory/
        : /is a symbolic link, which annex does not follow/;

    const { imported, lines } = await importIn(sandbox, ['alpha', 'beta'], options);
    if (row.alpha === 'loads') expect(imported.alpha).toMatchObject({ marker: 'planted' });
    else expectRefused(imported.alpha, 'ANNEX_STORE_UNUSABLE', message, 'alpha');
    if (row.beta === 'installs') expect(imported.beta).toMatchObject({ marker: 'from-registry' });
    else expectRefused(imported.beta, 'ANNEX_STORE_UNUSABLE', message, 'beta');
    // The installer reports optional directories; the error has required ones.
    if (row.beta === 'installs') expect(lines.join('\n')).toMatch(message);
    for (const command of [
      ['install', 'beta'],
      ['list'],
      ['prune'],
      ['verify', '--repair'],
      ['remove', 'beta'],
      ['refresh'],
    ]) {
      const { stderr } = await sandbox.annex(command, options);
      expect(stderr).not.toMatch(/ {4}at |a fault in annex/);
    }
    expect(sandbox.digest(victim)).toEqual(before);
  });
});
