/** Command of HEALTHCHECK: checks whether the gateway responds, whatever its backends do. */
import { get } from 'node:http';
import { readPort } from './server.mjs';

/** @returns {Promise<number>} the exit code: 0, or 1 without an answer in 2 s */
export const askHealth = () =>
  new Promise((resolve) => {
    const port = readPort(process.env.PORT, 8080);
    const request = get({ host: '127.0.0.1', port, path: '/health', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 0 : 1);
    });
    request.once('timeout', () => request.destroy(new Error('no answer in 2 s')));
    request.once('error', (error) => {
      console.error(`agent: ${error.message}`);
      resolve(1);
    });
  });
