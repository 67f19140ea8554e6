#!/usr/bin/env node
/** The application's command. Exit codes: 0 success, 1 failure, 2 wrong usage, 78 configuration error. */

const usage = `usage: agent gateway              serve /health, /backends, /search and /messages
       agent dashboard            serve a page about the backends
       agent search QUERY         ask the search backend
       agent health               check a running gateway
       agent worker add NAME COMMAND...
       agent worker remove|start|stop|status NAME`;

/** Commands; each loads only what it needs. */
const commands = {
  gateway: async () => (await import('../src/gateway.mjs')).serveGateway(),
  dashboard: async () => (await import('../src/dashboard.mjs')).serveDashboard(),
  search: async (query) => (await import('../src/backends.mjs')).printSearch(query),
  health: async () => (await import('../src/health.mjs')).askHealth(),
  worker: async (...args) => (await import('../src/workers.mjs')).runWorkerCommand(...args),
};

const [name = '', ...args] = process.argv.slice(2);
const run = Object.hasOwn(commands, name) ? commands[name] : undefined;

/** @returns {Promise<number>} the exit code */
async function main() {
  if (run === undefined) {
    console.error(name ? `agent: no command '${name}'\n${usage}` : usage);
    return 2;
  }
  try {
    return await run(...args);
  } catch (error) {
    console.error(`agent: ${error.message}`);
    return error.exitCode ?? 1;
  }
}

// Exits even if a worker or an open connection of an SDK would keep the process alive.
process.exit(await main());
