/** An application to bundle: it requests an installed feature, and one that has to be installed. */

/** Prints the loader and the result of each request: a marker, the place of the feature, or a code and a hint. */
export const SOURCE = `
import 'annex/register';
import { ensure, status } from 'annex';
const attempt = (ask) => ask().then(({ marker, where }) => marker ?? where, ({ code, hint }) => [code, hint].join(': '));
(async () => {
  console.log(JSON.stringify([
    status().loader,
    await attempt(() => import(/* webpackIgnore: true */ 'stored')),
    await attempt(() => ensure('absent')),
    await attempt(() => import(/* webpackIgnore: true */ 'absent')),
  ]));
})();`;

/** Its output for `ensure` when annex is bundled and not installed. */
export const EXTERNAL = /^ANNEX_INSTALL_FAILED: keep annex external /;

/** The corresponding line on stderr. */
export const IN_BUNDLE = /^annex: .+ is bundled without its own files.+ keep annex external .+$/m;
