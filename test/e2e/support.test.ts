/** Proves the test infrastructure where a mistake in it would make other tests pass for nothing. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  cjsExportsPackage,
  cjsPackage,
  conditionsPackage,
  dependentPackage,
  dualPackage,
  esmPackage,
  subpathPackage,
} from '../support/fixtures.ts';
import type { Packument } from '../support/packument.ts';
import {
  type PackageFixture,
  packInstalled,
  packInstalledTree,
  type Registry,
  startRegistry,
} from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { writeTarball } from '../support/tarball.ts';

async function openRegistry(...packages: PackageFixture[]): Promise<Registry> {
  const registry = await startRegistry(packages);
  return registry;
}

async function openSandbox(registry?: Registry): Promise<Sandbox> {
  const sandbox = await createSandbox({ ...(registry && { registry }), linkAnnex: false });
  return sandbox;
}

/** Retries off: npm waits ten seconds before its first one. */
function install(sandbox: Sandbox, ...specs: string[]) {
  const flags = ['--fetch-retries=0', '--no-audit', '--no-update-notifier'];
  return sandbox.exec('npm', ['install', ...flags, ...specs]);
}

const alpha = esmPackage('alpha', '1.2.0', 'from-registry');

test('npm installs synthetic, scoped and real packages from the registry', async () => {
  const scoped = dependentPackage('@acme/beta', '2.0.0', 'scoped', { alpha: '^1.0.0' });
  const registry = await openRegistry(alpha, scoped, packInstalled('semver'));
  const sandbox = await openSandbox(registry);
  expect(await install(sandbox, '@acme/beta', 'semver')).toMatchObject({ code: 0 });

  sandbox.write(
    'app/main.mjs',
    `import { marker, seen } from '@acme/beta';
     import semver from 'semver';
     console.log(JSON.stringify({ marker, seen, major: semver.major('7.1.2') }));`,
  );
  const { stdout } = await sandbox.run(['main.mjs']);
  expect(JSON.parse(stdout)).toEqual({
    marker: 'scoped',
    seen: { alpha: 'from-registry' },
    major: 7,
  });
  expect(registry.requests).toContain('GET /@acme/beta');
  expect(registry.requests).toContain('GET /alpha/-/alpha-1.2.0.tgz');
  const lock = JSON.parse(readFileSync(join(sandbox.core, 'package-lock.json'), 'utf8'));
  expect(lock.packages['node_modules/alpha'].integrity).toMatch(/^sha512-/);
});

test('bytes that differ from the integrity make npm fail with EINTEGRITY', async () => {
  const registry = await openRegistry(alpha);
  registry.fault({ kind: 'wrong-digest' });
  const sandbox = await openSandbox(registry);
  const { code, stderr } = await install(sandbox, 'alpha');
  expect(stderr).toContain('EINTEGRITY');
  expect(code).not.toBe(0);
});

test('unknown packages and versions are a 404 in JSON', async () => {
  const { url } = await openRegistry(alpha);
  for (const path of ['/nothing', '/alpha/-/alpha-9.9.9.tgz', '/']) {
    const response = await fetch(`${url}${path}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: 'Not found' });
  }
});

test('a status fault hits what it matches, carries its headers, and can be taken back', async () => {
  const registry = await openRegistry(alpha);
  const headers = { authorization: 'Bearer secret' };
  registry.fault({ kind: 'status', status: 429, headers: { 'retry-after': '7' } }, /^GET \/alpha$/);
  const refused = await fetch(`${registry.url}/alpha`, { headers });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
  expect((await fetch(`${registry.url}/alpha/-/alpha-1.2.0.tgz`)).status).toBe(200);
  registry.fault(undefined);
  expect((await fetch(`${registry.url}/alpha`)).status).toBe(200);
  expect(registry.authorizations).toEqual(['Bearer secret', undefined, undefined]);
});

test('a cut answer promises all of the body and ends half way', async () => {
  const registry = await openRegistry(alpha);
  registry.fault({ kind: 'cut' }, /\.tgz$/);
  const response = await fetch(`${registry.url}/alpha/-/alpha-1.2.0.tgz`);
  expect(response.status).toBe(200);
  await expect(response.arrayBuffer()).rejects.toThrow();
});

test('a hanging registry never answers, and stops all the same', async () => {
  const registry = await openRegistry(alpha);
  registry.fault({ kind: 'hang' });
  const impatient = fetch(`${registry.url}/alpha`, { signal: AbortSignal.timeout(200) });
  await expect(impatient).rejects.toThrow(/timeout/);
  const patient = expect(fetch(`${registry.url}/alpha`)).rejects.toThrow('fetch failed');
  await expect.poll(() => registry.requests.length).toBe(2);
  await registry.stop();
  await patient;
});

test('a slow answer comes late and whole', async () => {
  const registry = await openRegistry(alpha);
  registry.fault({ kind: 'slow', ms: 150 });
  const startedAt = performance.now();
  const response = await fetch(`${registry.url}/alpha`);
  expect(await response.json()).toMatchObject({ name: 'alpha' });
  expect(performance.now() - startedAt).toBeGreaterThan(140);
});

test('a stopped registry refuses, and resumes at the same address with what was added', async () => {
  const registry = await openRegistry(alpha);
  await registry.stop();
  await expect(fetch(`${registry.url}/alpha`)).rejects.toThrow('fetch failed');
  await registry.add(esmPackage('alpha', '1.10.0', 'newer'), esmPackage('alpha', '2.0.0-rc.1', ''));
  await registry.resume();
  const packument = (await (await fetch(`${registry.url}/alpha`)).json()) as Packument;
  expect(Object.keys(packument.versions)).toEqual(['1.2.0', '1.10.0', '2.0.0-rc.1']);
  expect(packument['dist-tags']).toEqual({ latest: '1.10.0' });
});

test('the abbreviated form keeps what installing needs and drops the rest', async () => {
  const facts = { os: ['linux'], libc: ['glibc'], bin: { a: './a.js' }, engines: { node: '>=20' } };
  const manifest = { ...facts, scripts: { postinstall: 'node a.js' }, description: 'words' };
  const { url } = await openRegistry(cjsPackage('native', '1.0.0', '', manifest));
  const accept = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8';
  const response = await fetch(`${url}/native`, { headers: { accept } });
  const { versions } = (await response.json()) as Packument;
  expect(versions['1.0.0']).toMatchObject({ ...facts, hasInstallScript: true });
  expect(versions['1.0.0']).not.toHaveProperty('description');
  expect(versions['1.0.0']).not.toHaveProperty('scripts');
});

test('equal entries give equal tarballs, and tar reads paths of every length', async () => {
  const paths = [
    'a.js',
    `${'d'.repeat(60)}/${'f'.repeat(90)}`,
    `${'e'.repeat(180)}/${'ü'.repeat(90)}`,
  ];
  const entries = paths.map((path) => ({ path: `package/${path}`, data: path }));
  const tarball = writeTarball(entries);
  expect(writeTarball(entries).equals(tarball)).toBe(true);
  const listed = execFileSync('tar', ['-tz', '--quoting-style=literal'], {
    input: tarball,
    encoding: 'utf8',
  });
  expect(listed.trim().split('\n')).toEqual(entries.map(({ path }) => path));
});

test('an installed package brings its dependencies, each once', () => {
  const names = packInstalledTree('execa').map(({ name }) => name);
  expect(names[0]).toBe('execa');
  expect(names).toContain('get-stream');
  expect(packInstalled('execa').files).not.toHaveProperty('node_modules');
});

test('every synthetic shape is what its name says to Node', async () => {
  const sandbox = await openSandbox();
  const shapes = [
    cjsPackage('cjs', '1.0.0', 'm'),
    cjsExportsPackage('closed', '1.0.0', 'm'),
    dualPackage('dual', '1.0.0', 'm'),
    subpathPackage('sub', '1.0.0', 'm'),
    conditionsPackage('cond', '1.0.0', 'm'),
  ];
  for (const shape of shapes) sandbox.addPackage('app/node_modules', shape);
  sandbox.write(
    'app/main.mjs',
    `import { createRequire } from 'node:module';
     const require = createRequire(import.meta.url);
     const hidden = await import('closed/internal.js').catch((error) => error.code);
     console.log(JSON.stringify([
       require('cjs/lib/extra.js').subpath, hidden,
       (await import('dual')).flavor, require('dual').flavor,
       (await import('sub/sub')).subpath, (await import('cond')).condition,
     ]));`,
  );
  const { stdout } = await sandbox.run(['--conditions', 'custom', 'main.mjs']);
  const reached = ['lib/extra.js', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'import', 'require', './sub'];
  expect(JSON.parse(stdout)).toEqual([...reached, 'custom']);
});

test('a program sees the scrubbed environment and its input; its exit code is a result', async () => {
  const sandbox = await openSandbox();
  const program = `process.stdin.pipe(process.stdout).on('error', () => {});
    console.error(Object.keys(process.env).sort().join()); process.exitCode = 3;`;
  const options = { input: 'hello', env: { ANNEX_LOG: 'debug', PATH: undefined } };
  const result = await sandbox.run(['-e', program], options);
  expect(result).toMatchObject({ code: 3, signal: null, stdout: 'hello' });
  expect(result.stderr.trim()).toBe('ANNEX_LOG,HOME,npm_config_cache');
});

test('the time limit ends the whole process group', async () => {
  const sandbox = await openSandbox();
  const program = `const { spawn } = require('node:child_process');
    console.log(spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)'], { stdio: 'inherit' }).pid);
    setInterval(() => {}, 1e3);`;
  const { signal, stdout } = await sandbox.run(['-e', program], { timeout: 3_000 });
  expect(signal).toBe('SIGKILL');
  const hasEnded = () => {
    const stat = `/proc/${stdout.trim()}/stat`;
    return !existsSync(stat) || / Z /.test(readFileSync(stat, 'utf8'));
  };
  if (process.platform === 'linux') await expect.poll(hasEnded).toBe(true);
});

test('a planted entry can be told from a changed one, and a sealed one is cleaned up', async () => {
  const sandbox = await openSandbox();
  const specs = { '@acme/alpha': '^1.0.0' };
  const packages = [esmPackage('@acme/alpha', '1.0.0', 'planted')] as const;
  const entry = sandbox.plantEntry({ feature: '@acme/Alpha', packages, specs });
  expect(entry).toMatch(/\/volume\/annex\/v1\/any\/acme-alpha\.[0-9a-f]{32}\.0$/);
  expect(statSync(entry).mode & 0o777).toBe(0o755);
  const before = sandbox.digest(sandbox.store);
  expect(sandbox.digest(sandbox.store)).toEqual(before);
  chmodSync(join(entry, 'node_modules'), 0o555);
  expect(sandbox.digest(sandbox.store)).not.toEqual(before);
  await sandbox.cleanup();
  expect(existsSync(sandbox.root)).toBe(false);
});

test('a digest names links and does not follow them', async () => {
  const sandbox = await openSandbox();
  sandbox.write('outside/secret.txt', 'x');
  sandbox.write('inside/dir/file.txt', 'x');
  symlinkSync('../outside', join(sandbox.root, 'inside', 'link'));
  const digest = sandbox.digest('inside');
  expect(Object.keys(digest)).toEqual(['.', 'dir', 'dir/file.txt', 'link']);
  expect(digest.link).toBe('link ../outside');
});
