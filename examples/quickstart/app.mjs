// An application that ships without exa-js, declares it in package.json, and uses it all the same.
import 'annex/register';
import { fileURLToPath } from 'node:url';
import { ensure } from 'annex';

await ensure('exa-js');
const { default: Exa } = await import('exa-js');

const exa = new Exa('a key that is never sent');
console.log(`exa-js: ${fileURLToPath(import.meta.resolve('exa-js'))}`);
console.log(`its client has search: ${typeof exa.search}`);
