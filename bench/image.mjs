/**
 * Measures the size of images and the time from start to the first response of /health:
 * `node bench/image.mjs NAME=IMAGE...`. ENGINE is `podman` or `docker`; ROUNDS is the number of starts per image, in turn.
 * Containers use the host's network.
 */
import { execFileSync } from 'node:child_process';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { summarize } from './statistics.mjs';

const { ENGINE = 'podman', ROUNDS = '10', PORT = '18080' } = process.env;

const engine = (...args) =>
  execFileSync(ENGINE, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

const images = process.argv.slice(2).map((argument) => argument.split('='));
if (images.length === 0) throw new Error('usage: node bench/image.mjs NAME=IMAGE...');

/** Whether /health responds with 200. */
const ask = () =>
  new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port: PORT, path: '/health' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });

/** Time from the start of the engine's command to the first response, in ms. */
async function start(image) {
  const name = `annex-bench-${process.pid}`;
  const began = performance.now();
  engine('run', '--detach', '--name', name, '--network=host', '--env', `PORT=${PORT}`, image);
  try {
    while (!(await ask())) {
      if (performance.now() - began > 30_000) throw new Error(`${image} does not respond`);
      await sleep(2);
    }
    return performance.now() - began;
  } finally {
    engine('rm', '--force', '--volumes', name);
  }
}

const samples = new Map(images.map(([name]) => [name, []]));
for (let round = 0; round <= Number(ROUNDS); round++) {
  for (const [name, image] of images) {
    const ms = await start(image);
    if (round > 0) samples.get(name).push(ms);
  }
}

const [first] = samples.values();
for (const [name, image] of images) {
  const own = samples.get(name);
  const times = summarize(own);
  const ratios = summarize(own.map((ms, round) => ms / first[round]));
  const size = Number(engine('image', 'inspect', '--format', '{{.Size}}', image)) / 1e6;
  console.log(
    `${name}: ${size.toFixed(1)} MB; ${times.median.toFixed(0)} ms (${times.min.toFixed(0)}-${times.max.toFixed(0)}), ` +
      `x${ratios.median.toFixed(2)} (${ratios.min.toFixed(2)}-${ratios.max.toFixed(2)}) of the first`,
  );
}
