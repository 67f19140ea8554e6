/** Packages of tests: a name, a version and files, packed as npm packs them or written as npm installs them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeTarball } from './tarball.ts';

/** A synthetic or real package. */
export interface PackageFixture {
  name: string;
  version: string;
  /** Contents by path. A `package.json` among them is used unchanged. */
  files?: Record<string, string | Buffer>;
  /** Merged into the generated package.json. */
  manifest?: Record<string, unknown>;
  /** Permission bits by path; 0o644 by default. */
  modes?: Record<string, number>;
  /** Bytes to serve instead of the packed files; digests are taken over them. */
  tarball?: Buffer;
  /** ISO date of publication; years ago by default, past any cooldown. */
  published?: string;
}

/** A packed package with the digests that a registry states. */
export interface PackedFixture {
  tarball: Buffer;
  /** Hexadecimal sha1. */
  shasum: string;
  /** Subresource integrity, sha512. */
  integrity: string;
}

/** This repository's root, without a trailing separator. */
export const repositoryRoot: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The version of annex, which is part of the name of its per-process state. */
export const { version: annexVersion } = JSON.parse(
  readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
) as { version: string };

/** All files of a package by path, package.json first, the rest in order. */
export function listFiles(pkg: PackageFixture): Map<string, Buffer> {
  const { name, version, files = {}, manifest } = pkg;
  const generated = `${JSON.stringify({ name, version, ...manifest }, null, 2)}\n`;
  const { 'package.json': own = generated, ...others } = files;
  const sorted = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    [['package.json', own] as const, ...sorted].map(([path, data]) => [path, Buffer.from(data)]),
  );
}

/** The package.json of a package, parsed. */
export function readManifest(pkg: PackageFixture): Record<string, unknown> {
  return JSON.parse(String(listFiles(pkg).get('package.json'))) as Record<string, unknown>;
}

/** Packs a package as `npm pack` would: gzipped tar, everything under `package/`. Equal packages give equal bytes. */
export function packFixture(pkg: PackageFixture): PackedFixture {
  const entries = [...listFiles(pkg)].map(([path, data]) => ({
    path: `package/${path}`,
    data,
    mode: pkg.modes?.[path] ?? 0o644,
  }));
  const tarball = pkg.tarball ?? writeTarball(entries);
  return {
    tarball,
    shasum: createHash('sha1').update(tarball).digest('hex'),
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
  };
}

/**
 * Writes a package as an installed directory.
 * @returns the package's directory, `nodeModules`/NAME
 */
export function writePackage(nodeModules: string, pkg: PackageFixture): string {
  const directory = join(nodeModules, pkg.name);
  for (const [path, data] of listFiles(pkg)) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, data);
    chmodSync(target, pkg.modes?.[path] ?? 0o644);
  }
  return directory;
}

function readPackage(directory: string): PackageFixture {
  const files: Record<string, Buffer> = {};
  const modes: Record<string, number> = {};
  const collect = (prefix: string) => {
    for (const entry of readdirSync(join(directory, prefix), { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`;
      if (entry.isDirectory() && entry.name !== 'node_modules') collect(`${path}/`);
      if (!entry.isFile()) continue;
      files[path] = readFileSync(join(directory, path));
      modes[path] = statSync(join(directory, path)).mode & 0o111 ? 0o755 : 0o644;
    }
  };
  collect('');
  const { name, version } = JSON.parse(String(files['package.json'])) as PackageFixture;
  return { name, version, files, modes };
}

/**
 * A package installed in this repository, with all its files except nested packages.
 * @param name a package directly in this repository's node_modules
 * @throws ENOENT when it is not installed
 * @example packInstalled('semver')
 */
export function packInstalled(name: string): PackageFixture {
  return readPackage(join(repositoryRoot, 'node_modules', name));
}

/**
 * An installed package followed by all its dependencies, each once.
 * @example await startRegistry(packInstalledTree('execa'))
 */
export function packInstalledTree(name: string): PackageFixture[] {
  const found = new Map<string, PackageFixture>();
  const visit = (dependency: string, from: string) => {
    const nested = join(from, 'node_modules', dependency);
    const directory = existsSync(nested)
      ? nested
      : join(repositoryRoot, 'node_modules', dependency);
    if (found.has(directory)) return;
    const pkg = readPackage(directory);
    found.set(directory, pkg);
    const { dependencies = {} } = readManifest(pkg) as { dependencies?: Record<string, string> };
    for (const next of Object.keys(dependencies)) visit(next, directory);
  };
  visit(name, repositoryRoot);
  return [...found.values()];
}

/**
 * This repository as npm packs it, for a registry, without its dependencies.
 * @example await startRegistry([packRepository(), ...packInstalledTree('execa'), packInstalled('semver')])
 */
export function packRepository(): PackageFixture {
  const directory = mkdtempSync(join(tmpdir(), 'annex-pack-'));
  try {
    // Without scripts: `prepare` would rebuild dist/ while other tests use it.
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory];
    execFileSync('npm', args, { cwd: repositoryRoot });
    const [file = ''] = readdirSync(directory);
    const text = readFileSync(join(repositoryRoot, 'package.json'), 'utf8');
    const { name, version } = JSON.parse(text) as PackageFixture;
    const tarball = readFileSync(join(directory, file));
    return { name, version, files: { 'package.json': text }, tarball };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
