/** Monitoring agents, and the ways to start them that their documentation names. */
import { type Agent, BOTH, CJS, ESM } from '../support/agent.ts';
import { agents as opentelemetry } from './opentelemetry.ts';

/** Sentry, by the name of its package. Version 10 is built on OpenTelemetry, version 11 is not. */
const sentry = (name: string, range: string, late: string): Agent => {
  const file = name.replaceAll(/\W+/g, '-');
  const start = `Sentry.init({ dsn: 'http://key@127.0.0.1:9/1', tracesSampleRate: 1 });`;
  return {
    packages: [`${name}@${range}`],
    env: {},
    files: {
      [`${file}.mjs`]: `import * as Sentry from '${name}';\n${start}`,
      [`${file}.cjs`]: `const Sentry = require('${name}');\n${start}`,
    },
    record: `
import * as Sentry from '${name}';
export async function record(run) {
  if (Sentry.getClient() === undefined) ${start}
  const names = [];
  Sentry.getClient().on('spanEnd', (span) => names.push(Sentry.spanToJSON(span)));
  await Sentry.startSpan({ name: 'use' }, run);
  return names.map(({ op, description, name }) => op + ' ' + (description ?? name));
}`,
    ways: {
      'a module of --import': { flags: ['--import', `./${file}.mjs`], mains: BOTH },
      '--import, and a late start': { flags: ['--import', `${name}/${late}`], mains: BOTH },
      'the first import': { first: `./${file}.mjs`, mains: ESM },
      'the first require': { first: `./${file}.cjs`, mains: CJS },
    },
  };
};

export const AGENTS: Record<string, Agent> = {
  ...opentelemetry,
  'dd-trace': {
    packages: ['dd-trace@^5.132.0'],
    env: {
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
      DD_TRACE_AGENT_URL: 'http://127.0.0.1:9',
      DD_TRACE_FLUSH_INTERVAL: '0',
      DD_TRACE_STARTUP_LOGS: 'false',
    },
    files: {
      'tracer.mjs': `
import { register } from 'node:module';
import tracer from 'dd-trace';
register('dd-trace/loader-hook.mjs', import.meta.url);
tracer.init();`,
      'tracer.cjs': `require('dd-trace').init();`,
    },
    record: `
import { createServer } from 'node:http';
import tracer from 'dd-trace';
export async function record(run) {
  const names = new Set();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      for (const [name] of body.matchAll(/\\b(?:pg|redis|mongodb|amqp|last)\\.[a-z_]+/g)) names.add(name);
      response.end('{}');
      server.emit('traces');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  tracer.setUrl('http://127.0.0.1:' + server.address().port);
  await run();
  // The last span is in the last report.
  tracer.startSpan('last.span').finish();
  while (!names.has('last.span')) await new Promise((resolve) => server.once('traces', resolve));
  return [...names].sort();
}`,
    ways: {
      'a module that registers the hook': { flags: ['--import', './tracer.mjs'], mains: BOTH },
      '--require': { flags: ['--require', 'dd-trace/init'], mains: CJS },
      '--import': { flags: ['--import', 'dd-trace/initialize.mjs'], mains: BOTH },
      '--import and --require': {
        flags: ['--import', 'dd-trace/register.js', '--require', 'dd-trace/init'],
        mains: ESM,
      },
      '--loader': {
        flags: ['--loader', 'dd-trace/loader-hook.mjs', '--require', 'dd-trace/init'],
        mains: ESM,
      },
      'the first import': { first: './tracer.mjs', mains: ESM },
      'the first require': { first: './tracer.cjs', mains: CJS },
    },
  },
  sentry: sentry('@sentry/node', '^11.12.0', 'import'),
  'sentry-10': sentry('sentry-10', 'npm:@sentry/node@^10.0.0', 'preload'),
  newrelic: {
    packages: ['newrelic@^13.20.0'],
    env: {
      NEW_RELIC_APP_NAME: 'app',
      NEW_RELIC_LICENSE_KEY: 'a'.repeat(40),
      NEW_RELIC_NO_CONFIG_FILE: 'true',
      NEW_RELIC_HOST: '127.0.0.1',
      NEW_RELIC_PORT: '9',
      NEW_RELIC_LOG_ENABLED: 'false',
    },
    files: {},
    record: `
import newrelic from 'newrelic';
export const record = (run) => newrelic.startBackgroundTransaction('use', async () => {
  const transaction = newrelic.agent.tracer.getTransaction();
  await run();
  transaction.end();
  const names = Object.keys({ ...transaction.metrics.unscoped });
  return names.filter((name) => /^(?:Datastore\\/|MessageBroker\\/)/.test(name)).sort();
});`,
    ways: {
      '--import and --require': {
        flags: ['--import', 'newrelic/esm-loader.mjs', '--require', 'newrelic'],
        mains: BOTH,
      },
      '--experimental-loader': {
        flags: ['--experimental-loader', 'newrelic/esm-loader.mjs', '--require', 'newrelic'],
        mains: ESM,
      },
      '--require': { flags: ['--require', 'newrelic'], mains: CJS },
      'the first require': { first: 'newrelic', mains: CJS },
    },
  },
};
