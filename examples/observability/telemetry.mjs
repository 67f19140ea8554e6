/** Makes OpenTelemetry spans and metrics of what annex does. */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';

/**
 * @param {{ tracer: import('@opentelemetry/api').Tracer, meter: import('@opentelemetry/api').Meter }} sinks
 * @returns {() => void} stops it
 */
export function observeAnnex({ tracer, meter }) {
  const installs = meter.createCounter('annex.installs', { description: 'Installs that ended.' });
  const seconds = meter.createHistogram('annex.install.duration', { unit: 's' });
  const refusals = meter.createCounter('annex.refusals', {
    description: 'Requests that failed because a feature is unavailable.',
  });

  /** The spans of installs that have not ended. */
  const running = new Map();
  const end = (trace) => {
    const { span, since } = running.get(trace) ?? {};
    if (span === undefined) return;
    running.delete(trace);
    const outcome = trace.error?.code ?? trace.result?.outcome ?? 'unknown';
    installs.add(1, { feature: trace.feature, outcome });
    seconds.record((performance.now() - since) / 1000, { feature: trace.feature });
    span.setAttribute('annex.outcome', outcome);
    if (trace.error) {
      span.recordException(trace.error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: trace.error.message });
    }
    span.end();
  };
  const install = {
    start: (trace) => {
      const attributes = { 'annex.feature': trace.feature, 'annex.blocking': trace.isBlocking };
      const span = tracer.startSpan('annex install', { kind: SpanKind.CLIENT, attributes });
      running.set(trace, { span, since: performance.now() });
    },
    // An install that does not block ends later than the call that started it.
    end: (trace) => {
      if (trace.isBlocking) end(trace);
    },
    asyncEnd: end,
  };
  const refuse = ({ feature, code }) => refusals.add(1, { feature, code });

  tracingChannel('annex:install').subscribe(install);
  channel('annex:refuse').subscribe(refuse);
  return () => {
    tracingChannel('annex:install').unsubscribe(install);
    channel('annex:refuse').unsubscribe(refuse);
  };
}
