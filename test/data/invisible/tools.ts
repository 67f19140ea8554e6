/** Programs under tools of Node: inspector, coverage, profiles, compile cache, watch, snapshots and executables. */
import { hasSyncHooks, type Program } from '../../support/conformance.ts';

const parts = { 'part.cjs': `module.exports = 'cjs';\n`, 'part.mjs': `export default 'esm';\n` };

/** Prints the records of files of the program itself. */
const own = `(url) => url.startsWith('file:') && !url.includes('/node_modules/annex/')`;

export const programs: readonly Program[] = [
  {
    title: 'coverage of NODE_V8_COVERAGE, with source maps',
    files: {
      ...parts,
      'main.mjs': `import './part.mjs';\nexport const used = () => 1;\nexport const unused = () => 2;\nused();\nif (process.argv.length > 9) used();\nawait import('./part.cjs');\n`,
      'show.mjs': `
import { readdirSync, readFileSync } from 'node:fs';
for (const name of readdirSync('coverage')) {
  const { result, 'source-map-cache': maps, ...rest } = JSON.parse(readFileSync('coverage/' + name, 'utf8'));
  const own = result.filter(({ url }) => (${own})(url)).map(({ scriptId, ...one }) => one);
  // The hooks thread of Node 20 writes a file of its own.
  if (own.length > 0) console.log(JSON.stringify(own, null, 1), Object.keys(maps ?? {}).filter(${own}), Object.keys(rest));
}`,
    },
    starts: [{ args: ['main.mjs'], env: { NODE_V8_COVERAGE: 'coverage' } }, { args: ['show.mjs'] }],
    shows: /"functionName": "unused"/,
  },
  {
    title: 'the compile cache, written and used',
    files: {
      ...parts,
      'main.cjs': `
const { enableCompileCache, getCompileCacheDir, constants } = require('node:module');
const path = require('node:path');
console.log(getCompileCacheDir?.());
if (process.argv[2]) { const { status, directory, message } = enableCompileCache?.(process.argv[2]) ?? {}; console.log(status, directory, message, constants?.compileCacheStatus); }
console.log(require('./part.cjs'), getCompileCacheDir?.());
import('./part.mjs').then(console.log);`,
    },
    starts: [
      { args: ['main.cjs', 'cache'] },
      { args: ['main.cjs', 'cache'] },
      { args: ['main.cjs'], env: { NODE_COMPILE_CACHE: 'other' } },
      { args: ['main.cjs'], env: { NODE_COMPILE_CACHE: 'other' } },
      { args: ['main.cjs', 'cache'], env: { NODE_DISABLE_COMPILE_CACHE: '1' } },
    ],
    clean: (text) => text.replaceAll(/\d\.\d+ms/g, ''),
    shows: /cjs/,
  },
  {
    title: 'a breakpoint by line, in modules of both kinds, and the scripts that a debugger sees',
    files: {
      'driver.mjs': `
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
const child = spawn(process.execPath, [...process.execArgv.filter((flag) => flag !== '--experimental-websocket'), '--inspect-brk=127.0.0.1:0', 'main.mjs'], { stdio: ['ignore', 'inherit', 'pipe'] });
let socket;
let last = 0;
const waiting = new Map();
const send = (method, params) => new Promise((resolve) => { waiting.set(++last, resolve); socket.send(JSON.stringify({ id: last, method, params })); });
const scripts = [];
const on = {
  'Debugger.scriptParsed': ({ url, startLine, endLine, hasSourceURL, isModule, length }) => { if ((${own})(url)) scripts.push([url, startLine, endLine, hasSourceURL, isModule, length]); },
  'Debugger.paused': ({ reason, hitBreakpoints, callFrames }) => {
    console.log(reason, hitBreakpoints, callFrames.map(({ functionName, url, location }) => [functionName, url, location.lineNumber, location.columnNumber].join(' ')));
    send('Debugger.resume');
  },
  'Runtime.executionContextDestroyed': () => socket.close(),
};
for await (const line of createInterface(child.stderr)) {
  const [, url] = /listening on (ws:.*)/.exec(line) ?? [];
  if (url === undefined) continue;
  socket = new WebSocket(url);
  socket.onmessage = ({ data }) => { const { id, result, method, params } = JSON.parse(data); waiting.get(id)?.(result); on[method]?.(params); };
  await new Promise((resolve) => { socket.onopen = resolve; });
  await send('Runtime.enable');
  await send('Debugger.enable');
  for (const [name, lineNumber] of [['main.mjs', 2], ['part.mjs', 1], ['part.cjs', 1]])
    console.log((await send('Debugger.setBreakpointByUrl', { lineNumber, urlRegex: '.*/' + name.replace('.', '\\\\.') })).locations.length);
  await send('Runtime.runIfWaitingForDebugger');
}
console.log(scripts, await new Promise((resolve) => child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode)));`,
      'main.mjs': `import './part.cjs';\nawait null;\nconsole.log('main');\nawait import('./part.mjs');\n`,
      'part.mjs': `const one = 1;\nconsole.log('part', one);\n`,
      'part.cjs': `const one = 1;\nconsole.log('part', one);\n`,
    },
    starts: [{ args: ['--experimental-websocket', '--no-warnings', 'driver.mjs'] }],
    shows: /part\.cjs/,
  },
  {
    title: 'a session of node:inspector in the program',
    files: {
      ...parts,
      'main.mjs': `
import inspector, { Session } from 'node:inspector';
console.log(inspector.url());
const session = new Session();
session.connect();
const scripts = [];
session.on('Debugger.scriptParsed', ({ params: { url, isModule, endLine } }) => { if ((${own})(url)) scripts.push([url, isModule, endLine]); });
session.post('Debugger.enable');
await import('./part.mjs'); await import('./part.cjs');
session.post('Runtime.evaluate', { expression: 'Object.getOwnPropertyNames(globalThis).length' }, (error, { result }) => console.log(error, result));
console.log(scripts);`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /part\.mjs/,
  },
  {
    title: 'profiles by --cpu-prof and --heap-prof',
    files: {
      ...parts,
      'main.mjs': `import './part.cjs';\nawait import('./part.mjs');\nconsole.log('main');`,
      'show.mjs': `
import { readdirSync, readFileSync } from 'node:fs';
for (const directory of ['cpu', 'heap']) for (const name of readdirSync(directory)) {
  const profile = JSON.parse(readFileSync(directory + '/' + name, 'utf8'));
  console.log(directory, name.replaceAll(/\\d+/g, ''), Object.keys(profile));
}`,
    },
    starts: [
      {
        args: [
          '--cpu-prof',
          '--cpu-prof-dir=cpu',
          '--heap-prof',
          '--heap-prof-dir=heap',
          'main.mjs',
        ],
      },
      { args: ['show.mjs'] },
    ],
    shows: /main/,
    runsOn: hasSyncHooks,
  },
  {
    title: 'a program by --watch that runs again when a file changes',
    files: {
      ...parts,
      'driver.mjs': `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const child = spawn(process.execPath, [...process.execArgv, '--watch', 'main.mjs'], { stdio: ['ignore', 'pipe', 'pipe'] });
const output = { stdout: '', stderr: '' };
let runs = 0;
// The two pipes are read in no order.
for (const from of ['stdout', 'stderr']) child[from].setEncoding('utf8').on('data', (text) => {
  output[from] += text;
  const ended = output.stdout.match(/Completed running|Failed running/g)?.length ?? 0;
  if (ended === 3 && output.stderr.includes('\\nNode.js v')) child.kill();
  if (ended === runs) return;
  runs = ended;
  if (runs === 1) writeFileSync('part.mjs', "export default 'changed';");
  else if (runs === 2) writeFileSync('part.cjs', "throw new Error('changed');");
});
child.on('close', (...ends) => console.log(output.stdout.replaceAll('\\x1bc', ''), output.stderr, ends));`,
      'main.mjs': `import part from './part.mjs';\nconsole.log(part, process.argv.length, process.execArgv, process.env.WATCH_REPORT_DEPENDENCIES, typeof process.send);\nawait import('./part.cjs');`,
    },
    starts: [{ args: ['driver.mjs'] }],
    shows: /changed/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'a snapshot, built and started',
    files: {
      'entry.js': `
const { addSerializeCallback, isBuildingSnapshot, setDeserializeMainFunction } = require('node:v8').startupSnapshot;
globalThis.built = [process.argv.length, process.execArgv, isBuildingSnapshot()];
addSerializeCallback(() => {});
setDeserializeMainFunction((data) => { console.log(data, globalThis.built, process.argv.length, process.execArgv, isBuildingSnapshot(), typeof require('node:fs').readFileSync); }, 'data');`,
    },
    starts: [
      { args: ['--snapshot-blob', 'blob', '--build-snapshot', 'entry.js'] },
      { args: ['--snapshot-blob', 'blob', 'given'] },
    ],
    shows: /data \[/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'a single executable that Node builds',
    files: {
      'main.cjs': `
const { getAsset, isSea } = require('node:sea');
console.log(isSea(), getAsset('own', 'utf8'), process.argv.length, process.execArgv, require.main === module, __filename, new Error().stack);
try { require('absent'); } catch ({ code, message }) { console.log(code, message); }
const { createRequire } = require('node:module');
console.log(createRequire(process.cwd() + '/')('./part.cjs'));
import('node:os').then(({ EOL }) => console.log(JSON.stringify(EOL)), ({ code }) => console.log(code));`,
      ...parts,
      'own.txt': 'asset',
      'sea.json': JSON.stringify({
        main: 'main.cjs',
        output: 'executable',
        disableExperimentalSEAWarning: true,
        assets: { own: 'own.txt' },
      }),
      'start.mjs': `import { spawnSync } from 'node:child_process';\nimport { rmSync } from 'node:fs';\nconsole.log(spawnSync('./executable', ['given'], { encoding: 'utf8' }));\nrmSync('executable');`,
    },
    starts: [{ args: ['--build-sea', 'sea.json'] }, { args: ['start.mjs'] }],
    clean: (text) => text.replaceAll(/pid: \d+/g, 'pid: <pid>'),
    shows: /asset/,
    runsOn: ({ major }) => major >= 26,
    modes: ['NODE_OPTIONS --import', 'NODE_OPTIONS --require'],
  },
];
