// Requests /health every few milliseconds until stdin ends; then prints the response times in ms.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE = 5;
const options = { host: '127.0.0.1', port: 8080, path: '/health', agent: false, timeout: 5000 };

/** The gateway of this network namespace. */
const gateway = readdirSync('/proc').find((pid) => {
  try {
    const isHere = readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net');
    return isHere && readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('agent.mjs\0gateway\0');
  } catch {
    return false;
  }
});

/** Time for which main threads waited for a CPU, in ms (proc_pid_schedstat(5), second field). */
const readWaited = () =>
  [process.pid, gateway].reduce((sum, pid) => {
    const [, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
    return sum + Number(waited) / 1e6;
  }, 0);

const ask = () =>
  new Promise((resolve) => {
    const request = get(options, (response) => {
      response.once('end', () => resolve(response.statusCode === 200)).resume();
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', () => resolve(false));
  });

let isOver = false;
process.stdin.once('end', () => {
  isOver = true;
});
process.stdin.resume();
const answers = [];
while (!isOver) {
  const waited = readWaited();
  const at = performance.now();
  const isHealthy = await ask();
  const ms = performance.now() - at;
  answers.push({ isHealthy, ms, own: ms - (readWaited() - waited) });
  if (answers.length === 1) console.log('asking');
  await sleep(PAUSE);
}
console.log(JSON.stringify(answers));
