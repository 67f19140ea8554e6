/** Programs that start threads and processes in every form. */
import type { Program } from '../../support/conformance.ts';

/** What a thread or process reports of itself. */
const REPORT = `
// The thread of hooks of Node 20 has a number and handles.
const isSync = !process.version.startsWith('v20.');
const look = async () => {
  const { threadId, isMainThread, parentPort, workerData, resourceLimits, getEnvironmentData } = await import('node:worker_threads');
  const { argv, execArgv, env, exitCode } = process;
  return {
    argv, execArgv, env: Object.keys(env).filter((name) => !/^(?:npm_|_$)/.test(name)).sort(), options: env.NODE_OPTIONS, exitCode,
    threadId: isSync && threadId, isMainThread, workerData, resourceLimits: resourceLimits?.maxOldGenerationSizeMb, data: getEnvironmentData('own'),
    events: process.eventNames(), port: parentPort?.eventNames(), resources: isSync && process.getActiveResourcesInfo(),
    symbols: Object.getOwnPropertySymbols(globalThis).map(String).filter((name) => !name.includes('annex.')),
    stack: isSync && new Error().stack.split('\\n').length,
    absent: await import('absent').catch(({ code, message }) => [code, message]),
  };
};`;

const HUB = `
import { once } from 'node:events';
import { setEnvironmentData, SHARE_ENV, Worker } from 'node:worker_threads';
setEnvironmentData('own', 'value');
const text = ${JSON.stringify(`${REPORT}\nlook().then((seen) => require('node:worker_threads').parentPort.postMessage(seen));`)};
const module = ${JSON.stringify(`${REPORT}\nimport { parentPort } from 'node:worker_threads';\nparentPort.postMessage(await look());`)};
const url = new URL('worker.mjs', import.meta.url);
const forms = {
  file: [url], commonjs: [new URL('worker.cjs', import.meta.url)], path: [url.pathname], eval: [text, { eval: true }],
  data: [new URL('data:text/javascript,' + encodeURIComponent(module))],
  'env {}': [url, { env: {} }], 'env given': [url, { env: { ...process.env, GIVEN: '1' } }], 'env shared': [url, { env: SHARE_ENV }],
  'execArgv []': [url, { execArgv: [] }], 'execArgv given': [url, { execArgv: ['--no-warnings', '--conditions=own'] }],
  'execArgv inherited and given': [url, { execArgv: [...process.execArgv, '--no-warnings'] }],
  'eval, execArgv []': [text, { eval: true, execArgv: [] }], 'eval, env {}': [text, { eval: true, env: {} }],
  argv: [url, { argv: ['one', 2] }], data_: [url, { workerData: { a: [1] } }], limits: [url, { resourceLimits: { maxOldGenerationSizeMb: 64, stackSizeMb: 2 } }],
  name: [url, { name: 'own' }], 'no tracking': [url, { trackUnmanagedFds: false }],
};
for (const [form, given] of Object.entries(forms).filter(([form]) => SELECT.test(form))) {
  const worker = new Worker(...given);
  const [[seen], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  console.log(form, JSON.stringify(seen, null, 1), code);
}
if (!process.version.startsWith('v20.')) console.log(process.getActiveResourcesInfo());`;

const worker = {
  'worker.mjs': `${REPORT}\nimport { parentPort } from 'node:worker_threads';\nparentPort.postMessage(await look());`,
  'worker.cjs': `${REPORT}\nlook().then((seen) => require('node:worker_threads').parentPort.postMessage(seen));`,
};
const hub = (
  title: string,
  select: string,
  modes: Program['modes'] = ['--import', 'NODE_OPTIONS --require'],
): Program => ({
  title,
  files: { ...worker, 'main.mjs': HUB.replace('SELECT', `/${select}/`) },
  starts: [{ args: ['--no-warnings', 'main.mjs'] }],
  shows: /"isMainThread": false/,
  modes,
});

export const programs: readonly Program[] = [
  hub('workers of a file, a path, a text and a data URL', '^(?:file|commonjs|path|eval|data)$'),
  hub('workers with env', 'env'),
  hub('workers with execArgv', 'execArgv'),
  hub('workers with argv, data, limits and a name', '^(?:argv|data_|limits|name|no tracking)$', [
    '--import',
  ]),
  {
    title: 'workers that fail, exit and are terminated',
    files: {
      'main.mjs': `
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
const texts = {
  throws: 'require("absent")', rejects: 'import("absent")', exits: 'process.on("exit", (code) => console.log("exit", code)); process.exit(3)',
  'sets a code': 'process.exitCode = 4', 'does not parse': 'const =', 'is terminated': 'setInterval(() => {}, 60_000)', 'warns': 'process.emitWarning("from a worker")',
};
for (const [name, text] of Object.entries(texts)) {
  const worker = new Worker(text, { eval: true, stdout: true, stderr: true });
  worker.on('error', (error) => console.log(name, error.code, error.message));
  for (const from of ['stdout', 'stderr']) worker[from].setEncoding('utf8').on('data', (data) => console.log(name, from, data));
  if (name === 'is terminated') { await once(worker, 'online'); console.log(await worker.terminate()); }
  else console.log(name, await new Promise((resolve) => worker.once('exit', resolve)));
}
const worker = new Worker(new URL('wrong.mjs', import.meta.url));
worker.on('error', ({ stack }) => console.log(stack));`,
      'wrong.mjs': `import './part.mjs';`,
      'part.mjs': `throw new Error('inside');`,
    },
    starts: [{ args: ['main.mjs'] }],
    clean: (text) => text.replaceAll(/^ +at .*\n/gm, ''),
    shows: /warns 0/,
  },
  {
    title: 'environment data, broadcast channels and ports of threads',
    files: {
      'main.mjs': `
import { BroadcastChannel, getEnvironmentData, isMainThread, MessageChannel, parentPort, receiveMessageOnPort, setEnvironmentData, threadId, Worker, workerData } from 'node:worker_threads';
console.log(isMainThread, parentPort, workerData, threadId, getEnvironmentData('own'));
const { port1, port2 } = new MessageChannel();
port1.postMessage({ a: 1 });
console.log(receiveMessageOnPort(port2), receiveMessageOnPort(port2));
setEnvironmentData('own', new Map([[1, 2]]));
const channel = new BroadcastChannel('own');
channel.onmessage = ({ data }) => { console.log(data); channel.close(); };
port1.close();
new Worker("const { getEnvironmentData, BroadcastChannel } = require('node:worker_threads'); const channel = new BroadcastChannel('own'); channel.postMessage(getEnvironmentData('own')); channel.close();", { eval: true }).on('exit', (code) => console.log(code, process.getActiveResourcesInfo()));`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /Map\(1\)/,
  },
  {
    title: 'forks with each environment and execArgv',
    files: {
      'main.mjs': `
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
const child = fileURLToPath(new URL('child.mjs', import.meta.url));
const { NODE_OPTIONS, ...others } = process.env;
const forms = { plain: {}, 'execArgv []': { execArgv: [] }, 'execArgv given': { execArgv: ['--no-warnings'] }, 'env {}': { env: {} }, 'env without options': { env: others },
  advanced: { serialization: 'advanced' }, silent: { silent: true } };
for (const [form, options] of Object.entries(forms)) {
  const one = fork(child, ['argument'], options);
  const [[seen], [code, signal]] = await Promise.all([once(one, 'message'), once(one, 'exit')]);
  console.log(form, JSON.stringify(seen, null, 1), code, signal);
}`,
      'child.mjs': `${REPORT}\nconst seen = await look();\nprocess.send({ ...seen, connected: process.connected, channel: process.listenerCount('message') }, () => { process.exitCode = 5; process.disconnect(); });`,
    },
    starts: [{ args: ['--no-warnings', 'main.mjs'] }],
    shows: /silent/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'a cluster that shares a server',
    files: {
      'main.mjs': `
import cluster from 'node:cluster';
import { createServer } from 'node:http';
if (cluster.isPrimary) {
  console.log(cluster.settings, cluster.schedulingPolicy);
  for (const id of [1, 2]) {
    const worker = cluster.fork({ ID: id });
    await new Promise((resolve) => worker.once('listening', async ({ port }) => {
      console.log(await (await fetch('http://127.0.0.1:' + port, { headers: { connection: 'close' } })).text());
      worker.once('exit', (...args) => { console.log(worker.id, ...args, worker.exitedAfterDisconnect); resolve(); });
      worker.disconnect();
    }));
  }
  console.log(Object.keys(cluster.workers), cluster.settings);
} else {
  const { execArgv, argv, env } = process;
  createServer((request, response) => response.end(JSON.stringify([cluster.worker.id, env.ID, execArgv, argv, process.eventNames()]))).listen(0, '127.0.0.1');
}`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /internalMessage/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'programs that exec, execFile, spawn and spawnSync start',
    files: {
      'main.mjs': `
import { exec, execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
const code = "console.log(process.execArgv, process.argv.length, process.env.NODE_OPTIONS); console.error(new Error().stack.split('\\\\n').length); process.exitCode = 3";
const args = ['--eval', code];
const show = (name) => (result) => console.log(name, result);
const node = process.execPath;
await promisify(execFile)(node, args).catch(({ code, stdout, stderr }) => show('execFile')({ code, stdout, stderr }));
await promisify(exec)('"' + node + '" --print "process.execArgv"').then(show('exec'));
const { pid, ...rest } = spawnSync(node, args, { encoding: 'utf8', env: {} });
console.log(pid > 0, rest);
await new Promise((resolve) => spawn(node, args, { stdio: 'inherit' }).on('close', (...ends) => resolve(console.log(ends))));`,
    },
    starts: [{ args: ['main.mjs'], isMerged: true }],
    shows: /execFile/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
];
