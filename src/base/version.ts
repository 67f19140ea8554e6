/** The version of annex itself. */

/** Put in by scripts/build.mjs, so that no process reads a file to learn it. */
declare const ANNEX_VERSION: string | undefined;

/** As package.json had it when dist/ was built; in src/ none is known. */
export const version: string =
  typeof ANNEX_VERSION === 'undefined' ? '0.0.0-unbuilt' : ANNEX_VERSION;
