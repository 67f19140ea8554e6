/** A server whose process installs a feature while it answers. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensure } from 'annex';

const WAYS = {
  idle: () => {},
  import: () => import('sixty-megabytes'),
  ensure: () => ensure('sixty-megabytes'),
  require: () => createRequire(import.meta.url)('sixty-megabytes'),
};

/** @returns {Promise<number>} the milliseconds that it took */
async function use(kind) {
  const start = performance.now();
  await WAYS[kind]();
  return performance.now() - start;
}

const body = JSON.stringify(Array.from({ length: 20 }, (_, id) => ({ id, name: `item ${id}` })));
const server = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
});
const delay = monitorEventLoopDelay({ resolution: 1 });
let used;
process.on('message', async (message) => {
  if (message === 'start') {
    delay.enable();
    used = use(process.argv[2]);
    return;
  }
  const took = await used;
  // A delay is recorded by the timer that comes late.
  await sleep(20);
  delay.disable();
  process.send({ worstDelay: delay.max / 1e6, took }, () => process.exit());
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
