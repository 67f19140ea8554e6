/** Guards the end-to-end tests: they run the built package, so a missing build fails once, with the remedy. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Throws when dist/ has not been built. Called by vitest before the first end-to-end test. */
export function setup(): void {
  if (!existsSync(fileURLToPath(new URL('../../dist/index.js', import.meta.url)))) {
    throw new Error('dist/ is missing: run `npm test` or `node scripts/setup.mjs`, which build it');
  }
}
