/** OpenTelemetry with chosen instrumentations, and with all of them. */
import { type Agent, BOTH, CJS, ESM } from '../support/agent.ts';

/** Of the exporter that prints spans. */
const PRINTED = `
export async function record(run) {
  const names = [];
  console.dir = ({ name }) => names.push(name);
  await run();
  return names;
}`;

const INSTRUMENTATIONS = {
  amqplib: 'AmqplibInstrumentation',
  ioredis: 'IORedisInstrumentation',
  mongodb: 'MongoDBInstrumentation',
  pg: 'PgInstrumentation',
  redis: 'RedisInstrumentation',
};
const TRACING = {
  '@opentelemetry/instrumentation': 'registerInstrumentations',
  '@opentelemetry/sdk-trace-base': 'ConsoleSpanExporter, SimpleSpanProcessor',
  '@opentelemetry/sdk-trace-node': 'NodeTracerProvider',
  ...Object.fromEntries(
    Object.entries(INSTRUMENTATIONS).map(([name, type]) => [
      `@opentelemetry/instrumentation-${name}`,
      type,
    ]),
  ),
};
const START_TRACING = `
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] }).register();
registerInstrumentations({ instrumentations: [
  ${Object.values(INSTRUMENTATIONS).map((type) => `new ${type}({ requireParentSpan: false })`)}
] });`;
const importAll = (names: Record<string, string>): string =>
  Object.entries(names)
    .map(([from, name]) => `import { ${name} } from '${from}';\n`)
    .join('');
const requireAll = (names: Record<string, string>): string =>
  Object.entries(names)
    .map(([from, name]) => `const { ${name} } = require('${from}');\n`)
    .join('');

const AUTO = {
  '@opentelemetry/auto-instrumentations-node': 'getNodeAutoInstrumentations',
  '@opentelemetry/sdk-node': 'NodeSDK',
};
const START_AUTO = `
new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] }).start();`;
const HOOK = '@opentelemetry/instrumentation/hook.mjs';
const REGISTER_HOOK = `
import { register } from 'node:module';
register('${HOOK}', import.meta.url);`;

export const agents: Record<string, Agent> = {
  opentelemetry: {
    packages: [
      '@opentelemetry/api@^1.9.0',
      '@opentelemetry/sdk-trace-base@^2.12.0',
      '@opentelemetry/sdk-trace-node@^2.12.0',
      '@opentelemetry/instrumentation@^0.223.0',
      ...Object.keys(INSTRUMENTATIONS).map((name) => `@opentelemetry/instrumentation-${name}`),
    ],
    env: {},
    files: {
      'tracing.mjs': `${importAll(TRACING)}${REGISTER_HOOK}${START_TRACING}`,
      'tracing-alone.mjs': `${importAll(TRACING)}${START_TRACING}`,
      'tracing.cjs': `${requireAll(TRACING)}${START_TRACING}`,
    },
    record: PRINTED,
    ways: {
      'a module that registers the hook': { flags: ['--import', './tracing.mjs'], mains: BOTH },
      '--require': { flags: ['--require', './tracing.cjs'], mains: CJS },
      '--experimental-loader': {
        flags: ['--experimental-loader', HOOK, '--import', './tracing-alone.mjs'],
        mains: ESM,
      },
      'the first import': { first: './tracing.mjs', mains: ESM },
      'the first require': { first: './tracing.cjs', mains: CJS },
    },
  },
  'auto-instrumentations-node': {
    packages: [
      '@opentelemetry/auto-instrumentations-node@^0.81.0',
      '@opentelemetry/sdk-node@^0.223.0',
    ],
    env: {
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_NODE_RESOURCE_DETECTORS: 'none',
    },
    files: {
      'auto.mjs': `${importAll(AUTO)}${REGISTER_HOOK}${START_AUTO}`,
      'auto.cjs': `${requireAll(AUTO)}${START_AUTO}`,
    },
    record: PRINTED,
    ways: {
      '--require': {
        flags: ['--require', '@opentelemetry/auto-instrumentations-node/register'],
        mains: CJS,
      },
      '--experimental-loader': {
        flags: [
          '--experimental-loader',
          HOOK,
          '--require',
          '@opentelemetry/auto-instrumentations-node/register',
        ],
        mains: ESM,
      },
      'a module that registers the hook': { flags: ['--import', './auto.mjs'], mains: ESM },
      'the first import': { first: './auto.mjs', mains: ESM },
      'the first require': { first: './auto.cjs', mains: CJS },
    },
  },
};
