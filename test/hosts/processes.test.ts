/** Thread pools and process managers: the worker or the managed program loads a backend. */
import { testApplication } from '../support/host.ts';

const host = {
  feature: 'csv-parse',
  loaded: [['a', 'b']],
  absent: /Cannot find package 'csv-parse' imported from .*task\.mjs/,
};

/** pm2-runtime, which ends with its last program. */
const pm2 = (mode: string) => ({
  ...host,
  start: ['node_modules/pm2/bin/pm2-runtime', 'start', `${mode}.config.cjs`],
  env: { PM2_HOME: `VOLUME/pm2-${mode}` },
});

const config = (mode: string): string => `
module.exports = { apps: [{
  name: 'app',
  script: 'managed.mjs',
  exec_mode: '${mode}',
  autorestart: false,
  node_args: process.execArgv,
}] };`;

testApplication({
  ships: { piscina: '^5.0.0', pm2: '^7.0.0', tinypool: '^2.0.0' },
  annex: { features: { 'csv-parse': '^6.0.0' } },
  files: {
    'task.mjs': `
import { describe } from './report.mjs';
export default (text) => describe(async () => (await import('csv-parse/sync')).parse(text));`,
    'managed.mjs': `
import task from './task.mjs';
console.log(await task('a,b'));
process.exit();`,
    'fork.config.cjs': config('fork'),
    'cluster.config.cjs': config('cluster'),
  },
  hosts: {
    piscina: {
      ...host,
      program: `
import { Piscina } from 'piscina';
const filename = new URL('./task.mjs', import.meta.url).href;
const pool = new Piscina({ filename, maxThreads: 1, minThreads: 1 });
console.log(await pool.run('a,b'));
await pool.destroy();`,
    },
    tinypool: {
      ...host,
      program: `
import { Tinypool } from 'tinypool';
const filename = new URL('./task.mjs', import.meta.url).href;
const pool = new Tinypool({ filename, maxThreads: 1, minThreads: 1 });
console.log(await pool.run('a,b'));
await pool.destroy();`,
    },
    'pm2, fork': pm2('fork'),
    'pm2, cluster': pm2('cluster'),
  },
});
