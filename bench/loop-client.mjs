/** Sends requests at a constant rate, whether or not earlier ones were answered, and reports their latencies. */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [port, rate, seconds] = process.argv.slice(2).map(Number);
const total = rate * seconds;
/** A request without a response after this time counts as lost. */
const LIMIT = 5000;

const agent = new Agent({ keepAlive: true });

/** @returns {Promise<{ ms: number, isLost: boolean }>} */
function ask() {
  const sent = performance.now();
  return new Promise((resolve) => {
    const end = (isLost) => resolve({ ms: performance.now() - sent, isLost });
    const request = get({ port, agent, timeout: LIMIT }, (response) => {
      response.resume();
      response.once('end', () => end(response.statusCode !== 200));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => end(true));
  });
}

const answers = [];
const begin = performance.now();
while (answers.length < total) {
  const due = Math.min(total, Math.ceil(((performance.now() - begin) * rate) / 1000));
  while (answers.length < due) {
    answers.push(ask());
    // The first second warms both up.
    if (answers.length === rate) process.send('started');
  }
  await sleep(1);
}
const all = await Promise.all(answers);
const times = all.map(({ ms }) => ms).sort((a, b) => a - b);
process.send(
  {
    p99: times[Math.floor(times.length * 0.99)],
    worst: times.at(-1),
    lost: all.filter(({ isLost }) => isLost).length,
  },
  () => process.exit(),
);
