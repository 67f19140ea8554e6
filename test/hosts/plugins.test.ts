/** Servers that find plugins by name or in a directory: Verdaccio and Node-RED. */
import { testApplication } from '../support/host.ts';

testApplication({
  ships: { 'node-red': '^5.0.0', verdaccio: '^6.0.0' },
  // verdaccio-audit asks for the tag `cjs`, which mirrors of the registry may not have.
  overrides: { 'node-fetch': '2.6.7' },
  annex: {
    features: { 'node-red-node-random': '^0.4.0', 'verdaccio-auth-memory': '^13.0.0' },
    importers: ['@verdaccio/loaders'],
  },
  hosts: {
    Verdaccio: {
      feature: 'verdaccio-auth-memory',
      program: `
import { once } from 'node:events';
import { runServer } from 'verdaccio';
import { report } from './report.mjs';
await report(async () => {
  const server = await runServer({
    configPath: import.meta.filename,
    storage: process.env.DATA,
    auth: { 'auth-memory': { users: { joe: { name: 'joe', password: 'word' } } } },
    log: { type: 'stdout', level: 'error' },
    web: { enable: false },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = 'http://127.0.0.1:' + server.address().port + '/-/whoami';
  const authorization = 'Basic ' + Buffer.from('joe:word').toString('base64');
  return (await fetch(url, { headers: { authorization } })).json();
});
process.exit();`,
      env: { DATA: 'VOLUME/verdaccio' },
      loaded: { username: 'joe' },
      absent: /package not found, try to install verdaccio-auth-memory/,
      isReplaced: true,
      oldest: 22,
    },
    'Node-RED': {
      feature: 'node-red-node-random',
      program: `
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import RED from 'node-red';
import { report } from './report.mjs';
const require = createRequire(import.meta.url);
await report(async () => {
  const nodesDir = [dirname(require.resolve('node-red-node-random/package.json'))];
  RED.init(createServer(), { userDir: process.env.DATA, nodesDir, logging: { console: { level: 'off' } } });
  await RED.start();
  const nodes = await RED.runtime.nodes.getNodeList({});
  return nodes.filter(({ module }) => module === 'node-red-node-random').flatMap(({ types }) => types);
});
process.exit();`,
      env: { DATA: 'VOLUME/node-red' },
      loaded: ['random'],
      absent: /Cannot find module 'node-red-node-random\/package\.json'/,
      oldest: 22,
    },
  },
});
