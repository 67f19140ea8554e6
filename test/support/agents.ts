/** Monitoring agents, as the files that start them, and a program whose database clients they trace. */

/** An agent: its packages, and a module that starts it and sets `globalThis.record`. */
export interface Agent {
  packages: string[];
  source: string;
}

export const AGENTS: Record<string, Agent> = {
  opentelemetry: {
    packages: [
      '@opentelemetry/api@^1.9.0',
      '@opentelemetry/sdk-trace-base@^2.12.0',
      '@opentelemetry/sdk-trace-node@^2.12.0',
      '@opentelemetry/instrumentation@^0.223.0',
      '@opentelemetry/instrumentation-amqplib',
      '@opentelemetry/instrumentation-ioredis',
      '@opentelemetry/instrumentation-mongodb',
      '@opentelemetry/instrumentation-pg',
      '@opentelemetry/instrumentation-redis',
    ],
    source: `
import { register } from 'node:module';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({ instrumentations: [
  new AmqplibInstrumentation(), new IORedisInstrumentation({ requireParentSpan: false }),
  new MongoDBInstrumentation(), new PgInstrumentation(), new RedisInstrumentation(),
] });
globalThis.record = async (run) => {
  await run();
  return exporter.getFinishedSpans().map(({ name }) => name);
};`,
  },
  'dd-trace': {
    packages: ['dd-trace@^5.132.0'],
    source: `
import { createServer } from 'node:http';
import { register } from 'node:module';
import tracer from 'dd-trace';
register('dd-trace/loader-hook.mjs', import.meta.url);
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
tracer.init({ url: 'http://127.0.0.1:' + server.address().port, flushInterval: 0, startupLogs: false });
globalThis.record = async (run) => {
  await run();
  // The last span is in the last report.
  tracer.startSpan('last.span').finish();
  while (!names.has('last.span')) await new Promise((resolve) => server.once('traces', resolve));
  return [...names].sort();
};`,
  },
  newrelic: {
    packages: ['newrelic@^13.20.0'],
    source: `
import { register } from 'node:module';
Object.assign(process.env, {
  NEW_RELIC_APP_NAME: 'app', NEW_RELIC_LICENSE_KEY: 'a'.repeat(40), NEW_RELIC_NO_CONFIG_FILE: 'true',
  NEW_RELIC_HOST: '127.0.0.1', NEW_RELIC_PORT: '9', NEW_RELIC_LOG_ENABLED: 'false',
});
register('newrelic/esm-loader.mjs', import.meta.url);
const { default: newrelic } = await import('newrelic');
globalThis.record = (run) => newrelic.startBackgroundTransaction('use', async () => {
  const transaction = newrelic.agent.tracer.getTransaction();
  await run();
  transaction.end();
  const names = Object.keys({ ...transaction.metrics.unscoped });
  return names.filter((name) => /^(?:Datastore\\/|MessageBroker\\/)/.test(name)).sort();
});`,
  },
};

/** The clients, and their ranges. */
export const CLIENTS: Record<string, string> = {
  pg: '^8.0.0',
  redis: '^4.0.0',
  ioredis: '^5.0.0',
  mongodb: '^6.0.0',
  amqplib: '^0.10.0',
};

/** Uses the clients: two with a server, and two without, for which the patched methods are recorded as well. */
const USES = `
const [,, postgres, redis] = process.argv;
const uses = {
  pg: async ({ Client }) => {
    const client = new Client({ host: '127.0.0.1', port: Number(postgres), user: 'postgres' });
    await client.connect();
    await client.query('select 1');
    await client.end();
  },
  redis: async ({ createClient }) => {
    const client = createClient({ url: 'redis://127.0.0.1:' + redis });
    await client.connect();
    await client.set('a', '1');
    await client.quit();
  },
  ioredis: async ({ Redis }) => {
    const client = new Redis(Number(redis), '127.0.0.1');
    await client.set('a', '1');
    await client.quit();
  },
  mongodb: async ({ MongoClient }) => {
    const client = new MongoClient('mongodb://127.0.0.1:9', { serverSelectionTimeoutMS: 1 });
    await client.db('a').collection('b').findOne({}).catch(() => {});
    await client.close();
  },
  amqplib: async ({ connect }) => { await connect('amqp://127.0.0.1:9').catch(() => {}); },
};
/** Name and length of every function, which an agent replaces. */
const describe = (module) => Object.entries(module).flatMap(([name, value]) =>
  typeof value !== 'function' ? [] : [[name, value], ...Object.entries(
    Object.getOwnPropertyDescriptors(value.prototype ?? {})).map(([key, { value: method }]) => [name + '.' + key, method])]
    .map(([key, method]) => key + ' ' + (typeof method === 'function' ? method.name + ' ' + String(method).length : '')));
const use = async (load) => {
  const report = { methods: {} };
  report.spans = await globalThis.record(async () => {
    for (const [name, run] of Object.entries(uses)) {
      const module = await load(name);
      report.methods[name] = describe(module);
      await run(module);
    }
  });
  console.log(JSON.stringify(report));
  process.exit();
};`;

/** The program as an ES module, and as CommonJS. */
export const PROGRAMS: Record<string, string> = {
  'main.mjs': `${USES}\nawait use(async (name) => {
  const module = await import(name);
  return { ...module.default, ...module };
});`,
  'main.cjs': `${USES}\nuse(async (name) => require(name));`,
};
