// Sends a request to the gateway of this network namespace and prints the response: asker.mjs PATH [BODY [MS]].
// With MS: repeats it for that time until the status is 200.
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const [path, body, patience] = process.argv.slice(2);
const method = body ? 'POST' : 'GET';
const options = { host: '127.0.0.1', port: 8080, path, method, agent: false };

async function read(response, at) {
  const answer = await text(response);
  const ms = performance.now() - at;
  return { status: response.statusCode, body: JSON.parse(answer), ms };
}

const ask = () =>
  new Promise((resolve, reject) => {
    const at = performance.now();
    const asked = request(options, (response) => resolve(read(response, at)));
    asked.once('error', reject).end(body);
  });

const end = performance.now() + Number(patience ?? 0);
let answer;
while (answer === undefined) {
  try {
    const given = await ask();
    const isEnough = patience === undefined || given.status === 200;
    if (isEnough || performance.now() > end) answer = given;
  } catch (error) {
    if (performance.now() > end) throw error;
  }
  if (answer === undefined) await sleep(25);
}
console.log(JSON.stringify(answer));
