/** Packages of the example's locks, downloaded once through npm into the cache, for the test registry. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../../../test/support/tree.ts';
import { example } from './build.ts';
import { containerCache, run } from './podman.ts';

interface LockedPackage {
  name: string;
  version: string;
  integrity: string;
}

/** Every package of every lock of the example, once. */
function listLocked(): LockedPackage[] {
  const found = new Map<string, LockedPackage>();
  for (const slug of readdirSync(join(example, 'annex'))) {
    const lock = readFileSync(join(example, 'annex', slug, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { packages: Record<string, LockedPackage> };
    for (const [path, { version, integrity }] of Object.entries(packages)) {
      const name = path.slice(path.lastIndexOf('node_modules/') + 13);
      if (path !== '' && integrity) found.set(`${name}@${version}`, { name, version, integrity });
    }
  }
  return [...found.values()];
}

/**
 * Downloads missing packages.
 * @returns the directory with the tarballs and `index.json`
 */
export async function preparePackages(): Promise<string> {
  const locked = listLocked();
  const key = createHash('sha256').update(JSON.stringify(locked)).digest('hex').slice(0, 12);
  const directory = join(containerCache, `packages-${key}`);
  if (existsSync(directory)) return directory;
  const staging = mkdtempSync(join(containerCache, 'staging-'));
  try {
    const specs = locked.map(({ name, version }) => `${name}@${version}`);
    const args = ['pack', ...specs, '--json', '--ignore-scripts', '--silent'];
    const packed = JSON.parse(await run('npm', args, { cwd: staging, timeout: 900_000 })) as {
      name: string;
      version: string;
      filename: string;
      integrity: string;
    }[];
    const index = [];
    for (const { name, version, filename, integrity } of packed) {
      const promised = locked.find((one) => one.name === name && one.version === version);
      if (promised?.integrity !== integrity) throw new Error(`${filename} is not the locked one`);
      const archive = join(staging, filename);
      const tar = ['-xzOf', archive, '--wildcards', '--no-wildcards-match-slash', '*/package.json'];
      const manifest: unknown = JSON.parse(await run('tar', tar));
      index.push({ name, version, integrity, file: filename, manifest });
    }
    writeFileSync(join(staging, 'index.json'), JSON.stringify(index));
    try {
      renameSync(staging, directory);
    } catch (error) {
      // Another process was first.
      if (!existsSync(directory)) throw error;
    }
  } finally {
    removeTree(staging);
  }
  return directory;
}
