/** G4: annex unpacks an unusual archive exactly as npm does, or refuses it. */
import { chmodSync, lstatSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectRefused, importIn, writeImporter } from '../support/importer.ts';
import { listEntries, lock } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import { ACCEPTED, REFUSED } from '../support/odd-archives.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { digestTree } from '../support/tree.ts';

const accepted = Object.entries(ACCEPTED).map(([title, pack], index) => {
  const name = `accepted-${index}`;
  return { title, name, version: '1.0.0', tarball: pack(name) };
});
const refused = Object.entries(REFUSED).map(([title, { pack, reason, npm = [] }], index) => {
  const name = `refused-${index}`;
  return { title, name, version: '1.0.0', tarball: pack(name), reason, npm };
});

/** The files of a directory, with their content and whether they are executable. */
const listFiles = (directory: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(digestTree(directory))
      .filter(([, found]) => !found.startsWith('directory'))
      .map(([path, found]) => {
        const isProgram = (lstatSync(join(directory, path)).mode & 0o111) !== 0;
        return [path, `${found.replace(/(?<=file )\d+ /, '')} ${isProgram ? 'x' : '-'}`];
      }),
  );

let registry: Registry;
let oracle: Sandbox;
beforeAll(async () => {
  registry = await startRegistry([...accepted, ...refused]);
  oracle = await createSandbox({ registry, linkAnnex: false });
  const dependencies = Object.fromEntries(
    [...accepted, ...refused].map(({ name, version }) => [name, version]),
  );
  oracle.write('app/package.json', { private: true, dependencies });
  const flags = ['--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund'];
  const run = await oracle.exec('npm', ['install', ...flags]);
  expect(run).toMatchObject({ code: 0 });
  return async () => {
    await oracle.cleanup();
    await registry.stop();
  };
});

describe.concurrent.each(outerNodes)('$label', ({ path: node }) => {
  const features = {
    odd: { packages: Object.fromEntries(accepted.map(({ name }) => [name, '^1.0.0'])) },
    ...Object.fromEntries(refused.map(({ name }) => [name, '^1.0.0'])),
  };
  const open = async (): Promise<Sandbox> => {
    const sandbox = await createSandbox({ registry, node });
    sandbox.setCore({ features });
    writeImporter(sandbox);
    return sandbox;
  };

  test.for([false, true])(
    'annex installs the same files as npm; locked: %s',
    async (isLocked, { expect }) => {
      const sandbox = await open();
      const env = { ANNEX_STORE: sandbox.store };
      if (isLocked) await lock(sandbox, 'odd');
      const installed = await sandbox.annex(['install', 'odd'], { env });
      expect(installed).toMatchObject({ code: 0 });
      const [entry = ''] = listEntries(sandbox);
      for (const { title, name } of accepted) {
        const found = listFiles(join(entry, 'node_modules', name));
        expect(found, title).toEqual(listFiles(join(oracle.core, 'node_modules', name)));
      }
      const verified = await sandbox.annex(['verify', 'odd'], { env });
      expect(verified).toMatchObject({ code: 0 });
      const odd = accepted.find(({ title }) => title.startsWith('control characters'));
      const place = join(entry, 'node_modules', odd?.name ?? '');
      chmodSync(place, 0o755);
      renameSync(join(place, 'a\x1b[2Jb'), join(place, 'b\x1b[2Jb'));
      const { stdout } = await sandbox.annex(['verify', 'odd'], { env });
      expect(stdout).toContain('/a\\u001b[2Jb is missing');
      expect(stdout).not.toContain('\x1b');
      renameSync(join(place, 'b\x1b[2Jb'), join(place, 'a\x1b[2Jb'));
      chmodSync(place, 0o555);
      const names = accepted.map(({ name }) => name);
      const { imported } = await importIn(sandbox, names, { env });
      for (const { title, name } of accepted) expect(imported[name]?.cause, title).toBeUndefined();
    },
  );

  test.for(refused)('refused: $title', async ({ name, reason, npm }, { expect }) => {
    const sandbox = await open();
    const { imported } = await importIn(sandbox, [name], { env: { ANNEX_STORE: sandbox.store } });
    expectRefused(imported[name], 'ANNEX_INTEGRITY', reason);
    expect(listEntries(sandbox)).toEqual([]);
    const found = Object.keys(listFiles(join(oracle.core, 'node_modules', name)));
    const usual = ['main.js', 'package.json'];
    expect(found.filter((path) => !usual.includes(path))).toEqual(npm);
  });
});
