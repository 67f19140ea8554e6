/** A resolver for Jest, which has its own search: `resolver: 'annex/jest'` in its configuration. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDeclaredPackage } from './declared.ts';
import './register.ts';

/** What Jest passes to a resolver, as far as it is used here. */
export interface JestResolverOptions {
  /** Directory of the file that contains the import or require. */
  basedir: string;
  /** Conditions of the request: with `import` among them, it is an import. */
  conditions?: string[];
  /** Jest's own search. */
  defaultResolver: (path: string, options: JestResolverOptions) => string;
}

/**
 * Resolves as Jest does; a declared package that Jest does not find is resolved as Node does with annex,
 * which installs it if needed and blocks meanwhile.
 *
 * @throws the error of Jest's own search when the package is unavailable
 */
export function sync(path: string, options: JestResolverOptions): string {
  const { basedir, conditions = [], defaultResolver } = options;
  try {
    return defaultResolver(path, options);
  } catch (error) {
    if (findDeclaredPackage(path) === undefined) throw error;
    try {
      return resolveAsNode(path, basedir, conditions.includes('import'));
    } catch {
      throw error;
    }
  }
}

/** @throws Node's error */
function resolveAsNode(path: string, basedir: string, isImport: boolean): string {
  const { resolve } = createRequire(join(basedir, '[jest]'));
  if (!isImport) return resolve(path);
  try {
    // This request may install: only files of the application may start an install.
    resolve(path);
  } catch {
    // A package without a file for require.
  }
  return fileURLToPath(import.meta.resolve(path));
}
