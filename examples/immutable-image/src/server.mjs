/** HTTP server with JSON routes that stops on SIGTERM and SIGINT. */
import { createServer } from 'node:http';

/** Exit code for a configuration error (sysexits.h); supervisors do not restart after it. */
const EX_CONFIG = 78;
/** Time for open requests when the server stops, in ms. */
const GRACE = 1000;

/**
 * @param {string | undefined} text a port, from the environment
 * @returns {number} the port
 * @throws an error with exitCode 78 if the text is not a port
 */
export function readPort(text, fallback) {
  const port = Number(text || fallback);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw Object.assign(new Error(`'${text}' is not a port`), { exitCode: EX_CONFIG });
}

/**
 * Serves until SIGTERM or SIGINT.
 * @param {number} port on all addresses
 * @param {Record<string, (url: URL, request: import('node:http').IncomingMessage) => unknown>} routes
 * by method and path, for example `GET /health`; each returns a body or { status, body }, or throws an error with an
 * optional status
 * @returns {Promise<number>} the exit code, after the last response
 */
export function serve(port, routes) {
  const server = createServer(async (request, response) => {
    const { status, type, body } = await answer(routes, request);
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  return new Promise((resolve, reject) => {
    const stop = () => {
      server.close(() => resolve(0));
      // Supervisors do not wait much longer for open requests.
      setTimeout(() => server.closeAllConnections(), GRACE).unref();
    };
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop);
    server.once('error', reject);
    server.listen(port, () => console.log(`listening on port ${port}`));
  });
}

async function answer(routes, request) {
  const target = `http://localhost${request.url}`;
  if (!URL.canParse(target)) return tell(400, { error: 'not a path' });
  const url = new URL(target);
  const key = `${request.method} ${url.pathname}`;
  const route = Object.hasOwn(routes, key) ? routes[key] : () => tell(404, { error: 'not found' });
  try {
    const found = await route(url, request);
    return typeof found?.status === 'number' ? found : tell(200, found);
  } catch (error) {
    return tell(error.status ?? 500, { error: error.message });
  }
}

/** JSON response with the given status. */
export const tell = (status, value) => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});
