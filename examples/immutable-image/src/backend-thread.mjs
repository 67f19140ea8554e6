/** Worker that loads and calls backends; see backend-client.mjs. */
import { parentPort } from 'node:worker_threads';
import { connect } from './backends.mjs';

async function call(feature, argument) {
  const backend = await connect(feature);
  return typeof backend === 'function' ? { value: await backend(argument) } : { refusal: backend };
}

parentPort.on('message', async ({ id, feature, argument }) => {
  const answer = await call(feature, argument).catch(({ message }) => ({ error: message }));
  parentPort.postMessage({ id, ...answer });
});
