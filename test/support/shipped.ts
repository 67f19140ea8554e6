/** What core ships, in few words. */
import { realpathSync } from 'node:fs';
import { readInventory } from '../../src/app/inventory.ts';
import type { PackageFixture } from './package.ts';

/** A package that is nothing but its package.json. */
export const pkg = (name: string, version: string, manifest: object = {}): PackageFixture => ({
  name,
  version,
  files: { 'index.js': '' },
  manifest: { ...manifest },
});

/** Name to version; what the core itself asks for has a star, and peers stand behind it. */
export const read = (root: string): Record<string, string> =>
  Object.fromEntries(
    [...readInventory(realpathSync(root))].map(([name, { version, isDeclared, peers }]) => [
      name,
      [version + (isDeclared ? '*' : ''), ...peers].join(' '),
    ]),
  );
