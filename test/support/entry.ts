/** Plants store entries in the published format, so that reading a store can be tested without installing into it. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PackageFixture, packFixture, writePackage } from './package.ts';

/** The entry to plant. */
export interface EntryOptions {
  feature: string;
  /** All of the closure, flat in the entry's node_modules; the first is the declared one. */
  packages: readonly [PackageFixture, ...PackageFixture[]];
  /** Ranges by declared package, as at install. */
  specs: Record<string, string>;
  /** `any` by default. */
  abi?: string;
  /** Shared names, as the manifest records them; none by default. */
  shared?: Record<string, unknown>;
  /** 32 hexadecimal digits; over the closure by default. */
  id?: string;
  /** The last part of the directory's name; `0` by default. */
  generation?: string;
  /** Replaces keys of the manifest, to plant a faulty one. */
  manifest?: Record<string, unknown>;
}

/** The part of an entry's directory name that people read: `[a-z0-9._-]`, at most 60. */
function slugify(feature: string): string {
  const safe = feature.toLowerCase().replace(/[^a-z0-9._-]/g, '-');
  return safe.replace(/^[-.]+/, '').slice(0, 60);
}

/**
 * Writes one entry that is valid unless the options make it otherwise.
 * @param store the store's directory, created when missing
 * @returns the entry's directory
 * @example plantEntry(store, { feature: 'alpha', packages: [esmPackage('alpha', '1.0.0', 'planted')], specs: { alpha: '^1.0.0' } })
 */
export function plantEntry(store: string, options: EntryOptions): string {
  const { feature, packages, specs, abi = 'any', shared = {}, generation = '0' } = options;
  const closure = packages.map((pkg) => ({
    path: `node_modules/${pkg.name}`,
    name: pkg.name,
    version: pkg.version,
    integrity: packFixture(pkg).integrity,
  }));
  const hash = createHash('sha256').update(JSON.stringify(closure)).digest('hex');
  const id = options.id ?? hash.slice(0, 32);
  const directory = join(store, 'v1', abi, `${slugify(feature)}.${id}.${generation}`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const pkg of packages) writePackage(join(directory, 'node_modules'), pkg);
  const manifest = {
    format: 2,
    feature,
    specs,
    closure,
    shared,
    private: packages.map((pkg) => pkg.name),
    scripts: [],
    abi,
    tool: 'annex@0.1.0',
    ...options.manifest,
  };
  const write = (name: string, content: object) =>
    writeFileSync(join(directory, name), `${JSON.stringify(content)}\n`, { mode: 0o644 });
  write('package.json', { private: true });
  write('annex-entry.json', manifest);
  listEntry(directory);
  return directory;
}

/** Rewrites the listing of an entry after a deliberate change of its files. */
export function listEntry(directory: string): void {
  const packages = new Map<string, [name: string, value: string][]>();
  const options = { recursive: true, withFileTypes: true } as const;
  for (const file of readdirSync(join(directory, 'node_modules'), options)) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const below = path.slice(directory.length + 1);
    const [owner = ''] = /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(below) ?? [];
    const line: [string, string] = [below.slice(owner.length + 1), listedValue(readFileSync(path))];
    packages.set(owner, [...(packages.get(owner) ?? []), line]);
  }
  const sections = [...packages].map(([owner, files]) => {
    const lines = files.sort(([a], [b]) => (a < b ? -1 : 1));
    return `${owner}\n${lines.map(([name, value]) => `${value}\t${name}\n`).join('')}`;
  });
  const listing = `annex-files 2\n${sections.join('')}`;
  writeFileSync(join(directory, 'annex-files.txt'), listing, { mode: 0o644 });
}

/** The value of a file in a listing. */
export const listedValue = (content: string | Buffer): string =>
  `${createHash('sha256').update(content).digest('hex')} ${Buffer.byteLength(content)}`;
