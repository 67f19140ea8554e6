/** The packed package, installed alone, with its dependencies bundled in its own files. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { packInstalledTree, packRepository, repositoryRoot } from '../support/package.ts';
import { openWorld, type World } from '../support/world.ts';

async function installPacked({ sandbox }: World, annex: object): Promise<void> {
  const tarball = join(sandbox.root, 'annex.tgz');
  writeFileSync(tarball, packRepository().tarball ?? '');
  sandbox.setCore(annex);
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier'];
  expect(await sandbox.exec('npm', ['install', ...flags, tarball])).toMatchObject({ code: 0 });
}

test("it sends no request, and annex's own dependencies are not visible", async () => {
  const needed = esmPackage('needed', '1.0.0', 'from the registry');
  const packages = [needed, ...packInstalledTree('execa')];
  const world = await openWorld({ packages, annex: {}, linkAnnex: false });
  const { sandbox, registry } = world;
  await installPacked(world, { features: { needed: '*', execa: '*' } });
  expect(registry.requests).toEqual([]);
  const visible = readdirSync(join(sandbox.core, 'node_modules')).filter((name) => name[0] !== '.');
  expect(visible).toEqual(['annex']);
  const env = { ANNEX_STORE: sandbox.store };
  const main = join(sandbox.core, 'node_modules', 'annex', 'dist', 'cli', 'main.js');
  // execa is used by `annex lock`, semver and ini by both.
  expect(await sandbox.run([main, 'lock', '--min-age', '0'], { env })).toMatchObject({ code: 0 });
  sandbox.write('app/app.mjs', `import { execa } from 'execa'; console.log(typeof execa);`);
  const run = await sandbox.run(['--import', 'annex/loader.mjs', 'app.mjs'], { env });
  expect(run).toMatchObject({ code: 0, stdout: 'function\n' });
});

test('its files load only builtins and each other', () => {
  const dist = join(repositoryRoot, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  const foreign = files
    .filter((path) => path.endsWith('.js'))
    .flatMap((path) => {
      const text = readFileSync(join(dist, path), 'utf8').replace(/^\s*\/?\*.*$/gm, '');
      const loaded = text.matchAll(
        /(?:^(?:import|export)\b[^'"]*?|\b__require\(|\bimport\()["']([^'"]+)["']/gm,
      );
      return [...loaded].map(([, name = '']) => name);
    })
    .filter((name) => !name.startsWith('.') && !isBuiltin(name));
  expect(foreign).toEqual([]);
});

test('its bill of materials and its licences name every package that is part of it', () => {
  const read = (name: string) => readFileSync(join(repositoryRoot, 'dist', name), 'utf8');
  const { bomFormat, components } = JSON.parse(read('sbom.cdx.json')) as {
    bomFormat: string;
    components: { name: string; version: string; purl: string }[];
  };
  expect(bomFormat).toBe('CycloneDX');
  expect(components.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['@sec-ant/readable-stream', 'cross-spawn', 'execa', 'ini', 'semver']),
  );
  const terms = read('licenses.txt');
  for (const { name, version, purl } of components) {
    expect(purl).toBe(`pkg:npm/${name.replace('@', '%40')}@${version}`);
    expect(terms).toContain(`${name} ${version}\n`);
  }
});
