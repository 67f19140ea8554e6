/** Packages that core ships, in short notation. */
import { realpathSync } from 'node:fs';
import { readInventory } from '../../src/app/inventory.ts';
import type { PackageFixture } from './package.ts';

/** A package with only a package.json. */
export const pkg = (name: string, version: string, manifest: object = {}): PackageFixture => ({
  name,
  version,
  files: { 'index.js': '' },
  manifest: { ...manifest },
});

/** Name to version; the core's direct dependencies have a star, followed by peers. */
export const read = (root: string): Record<string, string> =>
  Object.fromEntries(
    [...readInventory(realpathSync(root))].map(([name, { version, isDeclared, peers }]) => [
      name,
      [version + (isDeclared ? '*' : ''), ...peers].join(' '),
    ]),
  );
