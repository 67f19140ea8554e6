/** A plugin for Vite and what is built on it, which have their own search: `plugins: [annex()]`. */
import { fileURLToPath } from 'node:url';
import { findDeclaredPackage } from './declared.ts';
import { ensure } from './index.ts';
import './register.ts';

const LOADER = new URL('../loader.mjs', import.meta.url).href;

/** What Vite passes to the hook, as far as it is used here. */
interface Context {
  environment?: { config: { command: 'build' | 'serve'; consumer?: 'client' | 'server' } };
  resolve(
    source: string,
    importer: string | undefined,
    options: { skipSelf: boolean },
  ): Promise<{ id: string } | null>;
}

/** The plugin, with the types of Vite that it needs. */
export interface AnnexPlugin {
  name: string;
  enforce: 'pre';
  /** The settings of Vite that it adds. */
  config(): object;
  resolveId(
    this: Context,
    source: string,
    importer: string | undefined,
  ): Promise<{ id: string; external?: boolean } | null>;
}

/**
 * Makes the plugin. For code of a server, it leaves declared packages out of a build, and resolves those
 * that Vite does not find as Node does with annex, which installs them if needed. vitest runs the tests with the loader.
 */
export function annex(): AnnexPlugin {
  return {
    name: 'annex',
    enforce: 'pre',
    // vitest runs tests in processes of their own, where `ensure` and `load` need the loader.
    config: () => ({ test: { execArgv: ['--import', LOADER] } }),
    async resolveId(source, importer) {
      const { command, consumer } = this.environment?.config ?? {};
      const name = findDeclaredPackage(source);
      if (consumer !== 'server' || name === undefined) return null;
      if (command === 'build') return { id: source, external: true };
      const found = await this.resolve(source, importer, { skipSelf: true });
      if (found !== null) return found;
      try {
        if (!importer?.includes('/node_modules/')) await ensure(name);
        return { id: fileURLToPath(import.meta.resolve(source)) };
      } catch {
        // Vite reports that it does not find the package.
        return null;
      }
    },
  };
}
