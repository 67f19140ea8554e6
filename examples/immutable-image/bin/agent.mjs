#!/usr/bin/env node
/** The application's command. Exit codes: 0 done, 1 could not be done, 2 called wrongly, 78 configured wrongly. */

const usage = `usage: agent gateway              serve /health, /backends, /search and /messages
       agent dashboard            serve a page about the backends
       agent search QUERY         ask the search backend
       agent health               ask a running gateway how it is
       agent worker add NAME COMMAND...
       agent worker remove|start|stop|status NAME`;

/** Each loads only what it needs. */
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

// A thread, or an SDK that keeps a connection, does not keep the process.
process.exit(await main());
