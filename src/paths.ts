/** Where annex's own files are, in src/ as in dist/: this module stands at the top of both. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Directory of this build. */
export const SELF = dirname(fileURLToPath(import.meta.url));

/** The command line. */
export const CLI = join(SELF, 'cli', 'main.js');

/** The hooks of Node 20. */
export const OFF_THREAD = join(SELF, 'hooks', 'off-thread.js');

/** The preload. */
export const LOADER = join(SELF, '..', 'loader.mjs');
