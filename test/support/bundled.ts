/** An application to bundle: it asks for a feature that is in the store, and for one that has to be installed. */

/** Prints the loader, and what became of each request: a marker, where the feature is, or a code and a hint. */
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

/** What it prints of `ensure` when annex is part of the bundle, and installed nowhere. */
export const EXTERNAL = /^ANNEX_INSTALL_FAILED: keep annex external /;

/** The line on stderr that goes with it. */
export const IN_BUNDLE = /^annex: .+ is bundled without its own files.+ keep annex external .+$/m;
