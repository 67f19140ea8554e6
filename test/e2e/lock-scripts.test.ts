/** Install scripts: none by default; what is allowed runs in staging, for the packages that are named, and leaves nothing elsewhere. */
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { listedValue } from '../support/entry.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { readListing } from '../support/listing.ts';
import { listEntries, listStaging, lock, node } from '../support/lock-files.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';
import { digestTree } from '../support/tree.ts';

/** Its build leaves an addon, its environment, and things that have no place in an entry. */
const build = `
import { mkdirSync, symlinkSync, writeFileSync, appendFileSync } from 'node:fs';
mkdirSync('build/Release', { recursive: true });
writeFileSync('build/Release/native.node', 'an addon');
writeFileSync('environment.json', JSON.stringify(process.env));
appendFileSync('index.js', 'export const built = true;');
symlinkSync('Release', 'build/latest');
symlinkSync(process.execPath, 'build/node');
symlinkSync('/etc', 'build/etc');
symlinkSync('../../../../../..', 'build/up');
symlinkSync('nowhere', 'build/nowhere');
writeFileSync('../../beside.txt', 'out of node_modules');
mkdirSync('../../other'); writeFileSync('../../other/file', 'x');
writeFileSync('../../package.json', '{"name":"native","exports":"./x.js"}');
`;
const script = (source: string) => ({
  files: { 'build.mjs': source },
  manifest: { install: 'node build.mjs' },
});
const native = esmPackage('native', '1.0.0', 'native', { scripts: script(build).manifest });
const failing = esmPackage('failing', '1.0.0', 'failing', {
  scripts: { postinstall: 'node build.mjs' },
});
const patcher = dependentPackage(
  'patcher',
  '1.0.0',
  'patcher',
  { quiet: '^1.0.0' },
  { scripts: { postinstall: 'node build.mjs' } },
);
const nester = esmPackage('nester', '1.0.0', 'nester', {
  scripts: { postinstall: 'node build.mjs' },
});
const packages = [
  { ...native, files: { ...native.files, ...script(build).files } },
  {
    ...failing,
    files: { ...failing.files, 'build.mjs': `console.error('no compiler'); process.exit(3)` },
  },
  {
    ...patcher,
    files: {
      ...patcher.files,
      'build.mjs': `import { appendFileSync } from 'node:fs'; appendFileSync('../quiet/index.js', '//');`,
    },
  },
  {
    ...nester,
    files: {
      ...nester.files,
      'build.mjs': `import { copyFileSync, mkdirSync } from 'node:fs';
mkdirSync('node_modules/quiet', { recursive: true });
copyFileSync('index.js', 'node_modules/quiet/index.js');`,
    },
  },
  esmPackage('quiet', '1.0.0', 'quiet', { scripts: { install: 'exit 1' } }),
  dependentPackage('user', '1.0.0', 'user', { native: '^1.0.0', quiet: '^1.0.0' }),
];
const features = {
  user: { packages: { user: '^1.0.0' }, scripts: ['native'] },
  native: '^1.0.0',
  patcher: { packages: { patcher: '^1.0.0' }, scripts: ['patcher'] },
  nester: { packages: { nester: '^1.0.0' }, scripts: ['nester'] },
  failing: { packages: { failing: '^1.0.0' }, scripts: ['failing'] },
};

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry(packages);
});
afterAll(() => registry.stop());

async function open({ onTestFinished }: TestContext, feature: keyof typeof features) {
  const sandbox = await createSandbox({ registry, node: node.path });
  onTestFinished(() => sandbox.cleanup());
  sandbox.setCore({ features: { [feature]: features[feature] } });
  const host = new URL(registry.url).host;
  sandbox.write('app/.npmrc', `//${host}/:_authToken=\${TOKEN}\n`);
  const env = {
    ANNEX_STORE: sandbox.store,
    TOKEN: 'sEcReT1',
    SECRET: 'sEcReT2',
    [`npm_config_//${host}/:_password`]: 'sEcReT3',
  };
  return {
    sandbox,
    env,
    install: () => sandbox.annex(['install', feature, '--json'], { env }),
    load: () => importIn(sandbox, [feature], { env }),
  };
}

describe.concurrent(node.label, () => {
  test('a script that nobody allowed does not run, and is named', async (context) => {
    const { sandbox, install, load } = await open(context, 'native');
    const { code, stdout, stderr } = await install();
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ outcome: 'installed', unrun: ['native 1.0.0'] }]);
    expect(stderr).toMatch(
      /annex: native 1\.0\.0, for native: its install script was not run; .*"scripts": \["native"\]\n/,
    );
    const [entry = ''] = listEntries(sandbox);
    expect(basename(dirname(entry))).toBe('any');
    expect(readdirSync(join(entry, 'node_modules/native')).sort()).toEqual([
      'build.mjs',
      'index.js',
      'package.json',
    ]);
    expect((await load()).imported.native?.marker).toBe('native');
  });

  test('one that is allowed runs without secrets, and what it made is recorded', async (context) => {
    const { sandbox, install } = await open(context, 'user');
    await lock(sandbox);
    const { code, stdout, stderr } = await install();
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ outcome: 'installed', unrun: ['quiet 1.0.0'] }]);
    expect(stderr).not.toMatch(/native 1\.0\.0, for/);
    const [entry = ''] = listEntries(sandbox);
    expect(basename(dirname(entry))).toMatch(/^node\d+-/);
    expect(basename(entry)).toBe(
      `user.${Object.values(JSON.parse(readFileSync(join(sandbox.core, 'annex/user/annex.json'), 'utf8')).ids)[0]}.0`,
    );
    const at = (path: string) => join(entry, 'node_modules/native', path);
    const environment = readFileSync(at('environment.json'), 'utf8');
    expect(environment).not.toMatch(/sEcReT/);
    expect(Object.keys(JSON.parse(environment))).not.toContain('ANNEX_STORE');
    const made = ['build/Release/native.node', 'build/latest', 'environment.json', 'index.js'].map(
      (path) => join('node_modules/native', path),
    );
    const manifest = JSON.parse(readFileSync(join(entry, 'annex-entry.json'), 'utf8'));
    expect(manifest).toMatchObject({ scripts: ['native'] });
    const { generated } = readListing(entry);
    expect(Object.keys(generated)).toEqual(made);
    const digests = digestTree(entry);
    for (const [path, value] of Object.entries(generated)) {
      const link = /^-> (.+)$/.exec(value)?.[1];
      expect(digests[path]).toBe(
        link === undefined ? `file 0444 ${value.slice(0, 64)}` : `link ${link}`,
      );
    }
  });

  test('what scripts made and changed in their own package is verified, and runs', async (context) => {
    for (const isLocked of [true, false]) {
      const { sandbox, install, load } = await open(context, 'user');
      if (isLocked) await lock(sandbox);
      expect((await install()).code).toBe(0);
      const { imported, stderr } = await load();
      expect(imported.user?.marker).toBe('user');
      expect(stderr).toBe('');
    }
  });

  test('what no script can have made is damage, though the listing calls it made', async (context) => {
    const { expect } = context;
    const { sandbox, env, install, load } = await open(context, 'user');
    await lock(sandbox);
    expect((await install()).code).toBe(0);
    const evil = `export const marker = 'EVIL';`;
    const planted = [
      'node_modules/native/node_modules/quiet/index.js',
      'node_modules/user/node_modules/quiet/index.js',
      'node_modules/quiet/more.js',
      'node_modules/more/index.js',
    ];
    for (const [index, path] of planted.entries()) {
      const entry = listEntries(sandbox).at(-1) ?? '';
      const listing = join(entry, 'annex-files.txt');
      const before = readFileSync(listing, 'utf8');
      await sandbox.exec('chmod', ['-R', 'u+w', entry]);
      sandbox.write(join(entry, path), evil);
      writeFileSync(listing, `${before}${listedValue(evil)}\t${path}\n`);
      const verified = await sandbox.annex(['verify', 'user', '--json'], { env });
      expect(verified.code, path).toBe(1);
      expect(JSON.parse(verified.stdout).at(-1)).toMatchObject({
        problem: `annex-files.txt lists ${path} as made by a script`,
      });
      const { imported, stdout } = await load();
      expect(imported.user?.marker, path).toBe('user');
      expect(stdout).not.toContain('EVIL');
      expect(listEntries(sandbox), path).toHaveLength(index + 2);
    }
    const { stdout } = await sandbox.annex(['verify', 'user', '--json'], { env });
    expect(JSON.parse(stdout).at(-1)).toMatchObject({
      differences: [],
      generated: expect.arrayContaining(['node_modules/native/environment.json']),
    });
  });

  test('one that leaves packages of its own below it is refused, with the file', async (context) => {
    const { sandbox, install } = await open(context, 'nester');
    const { code, stderr } = await install();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /an install script of nester changed node_modules\/nester\/node_modules\/quiet\/index\.js/,
    );
    expect(listEntries(sandbox)).toEqual([]);
  });

  test('one that changes a package whose scripts may not run is refused, with the file', async (context) => {
    for (const isLocked of [true, false]) {
      const { sandbox, install } = await open(context, 'patcher');
      if (isLocked) await lock(sandbox);
      const { code, stderr } = await install();
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /ANNEX_INSTALL_FAILED\): an install script of patcher changed node_modules\/quiet\/index\.js, which is not in a package whose scripts may run/,
      );
      expect(listEntries(sandbox)).toEqual([]);
      expect(listStaging(sandbox)).toEqual([]);
    }
  });

  test('what a script leaves outside of its entry, or leads there, is gone', async (context) => {
    const { sandbox, install } = await open(context, 'user');
    expect((await install()).code).toBe(0);
    const [entry = ''] = listEntries(sandbox);
    expect(readdirSync(entry).sort()).toEqual([
      'annex-entry.json',
      'annex-files.txt',
      'node_modules',
      'package.json',
    ]);
    expect(readFileSync(join(entry, 'package.json'), 'utf8')).toBe('{"private":true}');
    const built = join(entry, 'node_modules/native/build');
    expect(readdirSync(built).sort()).toEqual(['Release', 'latest']);
    expect(lstatSync(join(built, 'latest')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(built, 'latest/native.node'))).toBe(true);
    expect(readdirSync(join(entry, 'node_modules')).sort()).toEqual(['native', 'quiet', 'user']);
  });

  test('one that fails names its package, and nothing is published', async (context) => {
    const { sandbox, load } = await open(context, 'failing');
    const { imported } = await load();
    expect(imported.failing?.code).toBe('ERR_MODULE_NOT_FOUND');
    expect(imported.failing?.cause).toMatchObject({ code: 'ANNEX_INSTALL_FAILED' });
    expect(imported.failing?.cause?.message).toMatch(
      /an install script of failing failed: no compiler, /,
    );
    expect(listEntries(sandbox)).toEqual([]);
    expect(listStaging(sandbox)).toEqual([]);
  });
});
