/** examples/observability with the SDK of OpenTelemetry: the spans, metrics and states that operators see. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { splitLines } from '../support/importer.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';

/** Records spans and metrics in memory, instead of the console of the example's server. */
const PROGRAM = `
import { InMemoryMetricExporter, AggregationTemporality, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createRequire } from 'node:module';
import { ensure } from 'annex';
import { countForPrometheus } from './prometheus.mjs';
import { observeAnnex } from './telemetry.mjs';
const spans = new InMemorySpanExporter();
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const metering = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
observeAnnex({ tracer: tracing.getTracer('annex'), meter: metering.getMeter('annex') });

const compose = countForPrometheus();
const before = compose();
await ensure('search.exa');
await ensure('lost').catch(() => {});
try { createRequire(import.meta.url)('annex-absent-too'); } catch {}
await metering.forceFlush();
const [{ scopeMetrics: [{ metrics }] }] = exporter.getMetrics();
console.log(JSON.stringify({
  before,
  after: compose(),
  spans: spans.getFinishedSpans().map(({ name, attributes, status, events }) => [name, attributes, status.code, events.length]),
  metrics: Object.fromEntries(metrics.map(({ descriptor, dataPoints }) => [
    descriptor.name,
    dataPoints.map(({ attributes, value }) => [attributes, value.count ?? value]),
  ])),
}));
process.exit();
`;

/** Starts the example's server, and sends it the requests of its README. */
const CLIENT = `
const address = new Promise((resolve) => {
  const { log } = console;
  console.log = (line) => String(line).startsWith('http:') ? resolve(line) : log(line);
});
await import('./server.mjs');
const read = async (path) => (await fetch((await address) + path)).text();
process.stdout.write(JSON.stringify([await read('/'), await read('/metrics')]), () => process.exit());
`;

test('installs become spans with their outcome, refusals and durations become metrics', async () => {
  const env = readMachineEnvironment();
  const sandbox = await createSandbox();
  cpSync(join(repositoryRoot, 'examples/observability'), sandbox.core, { recursive: true });
  const lost = { packages: { 'annex-absent': '^1.0.0' } };
  const also = { packages: { 'annex-absent-too': '^1.0.0' } };
  const exa = { packages: { 'exa-js': '^1.9.0' } };
  const packages = ['api@^1.9.0', 'sdk-metrics@^2.0.0', 'sdk-trace-base@^2.0.0'];
  sandbox.setCore({ features: { 'search.exa': exa, lost, also } }, { type: 'module' });
  const specs = packages.map((name) => `@opentelemetry/${name}`);
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  const npm = await sandbox.exec('npm', ['install', ...flags, ...specs, repositoryRoot], { env });
  expect(npm.code, npm.stderr).toBe(0);
  sandbox.write('app/check.mjs', PROGRAM);
  const { stdout, stderr } = await sandbox.run(['--import', sandbox.loader, 'check.mjs'], {
    env: { ...env, ANNEX_STORE: sandbox.store },
  });
  expect(stdout, stderr).not.toBe('');
  const result = JSON.parse(splitLines(stdout).at(-1) ?? '');

  expect(result.before).toContain('annex_feature_available{feature="search.exa"} 0\n');
  expect(result.after).toContain('annex_feature_available{feature="search.exa"} 1\n');
  expect(result.after).toContain('annex_installs_total{feature="search.exa"} 1\n');
  const failedLost = '{feature="lost",where="failed",code="ANNEX_INSTALL_FAILED",abi="",entry=""}';
  expect(result.after).toContain(`annex_feature_info${failedLost} 1\n`);
  const span = (feature: string, isBlocking: boolean, outcome: string) => ({
    'annex.feature': feature,
    'annex.blocking': isBlocking,
    'annex.outcome': outcome,
  });
  expect(result.spans).toEqual([
    ['annex install', span('search.exa', false, 'installed'), 0, 0],
    ['annex install', span('lost', false, 'ANNEX_INSTALL_FAILED'), 2, 1],
    ['annex install', span('also', true, 'ANNEX_INSTALL_FAILED'), 2, 1],
  ]);
  const failed = { code: 'ANNEX_INSTALL_FAILED' };
  expect(result.metrics).toMatchObject({
    'annex.installs': [
      [{ feature: 'search.exa', outcome: 'installed' }, 1],
      [{ feature: 'lost', outcome: 'ANNEX_INSTALL_FAILED' }, 1],
      [{ feature: 'also', outcome: 'ANNEX_INSTALL_FAILED' }, 1],
    ],
    'annex.refusals': [
      [{ feature: 'lost', ...failed }, 1],
      [{ feature: 'also', ...failed }, 1],
    ],
  });

  sandbox.write('app/client.mjs', CLIENT);
  const served = await sandbox.run(['client.mjs'], {
    env: { ...env, ANNEX_STORE: sandbox.store, PORT: '0' },
  });
  const [page, metrics] = JSON.parse(splitLines(served.stdout).at(-1) ?? '');
  expect(page).toBe('exa-js is loaded\n');
  expect(metrics).toContain('annex_feature_available{feature="search.exa"} 1\n');
});
