/** A package whose files are loaded by path, and a program that loads them in every way. */
import type { PackageFixture } from './package.ts';
import type { Sandbox } from './sandbox.ts';

const report = `const report = (marker) => process.send ? process.send(marker)
  : parentPort ? parentPort.postMessage(marker) : console.log(marker);`;

/** Every file exports `sound`; child processes and workers report it to their parent. */
export const kit: PackageFixture = {
  name: 'kit',
  version: '1.0.0',
  files: {
    'child.js': `const { parentPort } = require('node:worker_threads');\n${report}
report(require('./part.js').marker);\n`,
    'child.mjs': `import { parentPort } from 'node:worker_threads';
import { marker } from './part.mjs';\n${report}\nreport(marker);\n`,
    'part.js': `exports.marker = 'sound';\n`,
    'part.mjs': `export const marker = 'sound';\n`,
    'addon.node': 'not loaded',
  },
  manifest: { main: './part.js' },
};

const PROGRAM = `
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
const [,, dir] = process.argv;
const require = createRequire(import.meta.url);
const attempt = async (run) => {
  try { return await run(); } catch (error) { return String(error?.cause?.code ?? error); }
};
const ways = {
  'createRequire there': () => createRequire(join(dir, 'child.js'))('./part.js').marker,
  'require of a path': () => require(join(dir, 'part.js')).marker,
  'require of a directory': () => require(dir).marker,
  'require of a relative path': () => require('./' + relative(import.meta.dirname, join(dir, 'part.js'))).marker,
  'import of a relative path': async () =>
    (await import('./' + relative(import.meta.dirname, join(dir, 'part.mjs')))).marker,
  'import of a path': async () => (await import(join(dir, 'part.mjs'))).marker,
  'import of a URL': async () => (await import(pathToFileURL(join(dir, 'part.mjs')).href)).marker,
};
for (const name of ['child.js', 'child.mjs']) {
  ways['worker ' + name] = async () => {
    const worker = new Worker(join(dir, name));
    return (await once(worker, 'message'))[0];
  };
  ways['fork ' + name] = async () => {
    const child = fork(join(dir, name), { silent: true });
    let said = '';
    child.stderr.on('data', (chunk) => { said += chunk; });
    let marker;
    child.on('message', (message) => { marker = message; });
    await once(child, 'close');
    return marker ?? /ANNEX_\\w+/.exec(said)?.[0] ?? said;
  };
}
const seen = {};
for (const [way, run] of Object.entries(ways)) {
  const got = await attempt(run);
  seen[way] = /ANNEX_\\w+/.exec(got)?.[0] ?? got;
}
console.log(JSON.stringify(seen));`;

/**
 * Writes the program.
 *
 * @returns its path: it takes the directory of the package, and prints the result of each way as JSON: `sound`,
 *   the code of an AnnexError, or any other error as text
 */
export const writeMeeting = (sandbox: Sandbox): string => sandbox.write('app/meet.mjs', PROGRAM);
