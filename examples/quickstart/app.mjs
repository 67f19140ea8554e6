// An application that declares exa-js in package.json, does not ship it, and uses it.
import 'annex/register';
import { fileURLToPath } from 'node:url';
import { ensure } from 'annex';

await ensure('exa-js');
const { default: Exa } = await import('exa-js');

const exa = new Exa('unused key');
console.log(`exa-js: ${fileURLToPath(import.meta.resolve('exa-js'))}`);
console.log(`its client has search: ${typeof exa.search}`);
