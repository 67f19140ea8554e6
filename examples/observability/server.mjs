/** A server that traces the installs of annex to the console, and reports the state of its features. */
import { createServer } from 'node:http';
import {
  ConsoleMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import 'annex/register';
import { load } from 'annex';
import { CONTENT_TYPE, countForPrometheus } from './prometheus.mjs';
import { observeAnnex } from './telemetry.mjs';

const spans = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())],
});
const metrics = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() })],
});
observeAnnex({ tracer: spans.getTracer('annex'), meter: metrics.getMeter('annex') });
const composeForPrometheus = countForPrometheus();

const server = createServer(async ({ url }, response) => {
  if (url === '/metrics') {
    response.setHeader('content-type', CONTENT_TYPE);
    return response.end(composeForPrometheus());
  }
  try {
    await load('exa-js');
    response.end('exa-js is loaded\n');
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
});
server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`http://localhost:${server.address().port}`);
});
