/** What npm installed, read from its lockfile: the closure, its id, and what it is bound to. */
import { createHash } from 'node:crypto';
import type { ClosurePackage } from '../types.ts';

/** One package of a package-lock of version 3, as far as it matters here. */
interface LockedPackage {
  name?: string;
  version?: string;
  integrity?: string;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  hasInstallScript?: boolean;
}

/** A closure, and whether it would run on another platform or Node as it is. */
export interface ReadClosure {
  closure: ClosurePackage[];
  /** No package of it asks for a platform or has an install script. */
  isPlain: boolean;
}

/**
 * Reads a package-lock of version 3. Packages that npm left out (optional ones of other platforms)
 * are not in the closure, but still bind it to this platform.
 *
 * @param lock the parsed package-lock.json
 * @param isInstalled whether the package at this path stands on disk
 * @see https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
 */
export function readClosure(lock: unknown, isInstalled: (path: string) => boolean): ReadClosure {
  const packages = (lock as { packages?: Record<string, LockedPackage> }).packages ?? {};
  const closure: ClosurePackage[] = [];
  let isPlain = true;
  for (const [path, locked] of Object.entries(packages)) {
    if (path === '') continue;
    const { os, cpu, libc, hasInstallScript, integrity, version = '' } = locked;
    if (os ?? cpu ?? libc ?? hasInstallScript) isPlain = false;
    if (!isInstalled(path)) continue;
    const name = locked.name ?? path.slice(path.lastIndexOf('node_modules/') + 13);
    closure.push({ path, name, version, ...(integrity !== undefined && { integrity }) });
  }
  return { closure, isPlain };
}

/** The content of an entry as 32 hex digits: equal content, equal id, whatever the feature is called. */
export function identify(closure: ClosurePackage[]): string {
  const content = {
    closure: closure.map(({ integrity, name, path, version }) => ({
      integrity,
      name,
      path,
      version,
    })),
    format: 1,
    private: [...new Set(closure.map(({ name }) => name))].sort(),
    scripts: [],
    shared: {},
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}
