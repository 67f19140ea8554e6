/** A refusal with all of its parts, and the request that it answers. */
import type { Refusal } from '../../src/types.ts';

export const refusal: Refusal = {
  code: 'ANNEX_OFFLINE',
  reason: 'registry.corp timed out after 30 s',
  hint: 'annex install search.exa',
  state: 'Next try at 12:04:30 UTC; other features unaffected',
};
export const context = { feature: 'search.exa', specifier: 'exa-js', asker: 'dist/search.js' };
