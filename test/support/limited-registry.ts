/**
 * A registry with a token bucket, latency and a rate for each connection, that records who asks when. It refuses
 * HTTP/1.0, as some do.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { PackageFixture } from './package.ts';
import { startStrangeRegistry } from './strange-registry.ts';

/** What the registry allows. */
export interface Limit {
  /** Requests per second, and those at once. */
  rate: number;
  burst: number;
  /** Seconds that a refused client is told to wait. */
  retryAfter: number;
  /** Milliseconds before each answer. */
  latency: number;
  /** Bytes per second of each connection. */
  bandwidth: number;
}

/** One request for a tarball. */
export interface Asked {
  /** The client, by its setting `user-agent`. */
  who: string;
  path: string;
  /** ms of the monotonic clock */
  at: number;
  status: number;
}

/** A running registry. */
export interface LimitedRegistry {
  url: string;
  asked: Asked[];
  /** Counts from now on, and answers 503 for some milliseconds first. */
  limit(limit: Limit, failsFor?: number): void;
  /** Requests that came before the time that an earlier answer to the same client named. */
  listEarly(): Asked[];
}

/** Starts one without a limit on loopback. */
export async function startLimitedRegistry(packages: PackageFixture[]): Promise<LimitedRegistry> {
  const asked: Asked[] = [];
  let rule: Limit | undefined;
  let [tokens, last, failsUntil] = [0, 0, 0];

  const take = ({ rate, burst }: Limit): 200 | 429 | 503 => {
    const now = performance.now();
    if (now < failsUntil) return 503;
    tokens = Math.min(burst, tokens + ((now - last) / 1_000) * rate);
    last = now;
    if (tokens < 1) return 429;
    tokens -= 1;
    return 200;
  };

  const guard = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (rule === undefined) return false;
    if (request.httpVersion === '1.0') {
      response.writeHead(426, { upgrade: 'HTTP/1.1' }).end();
      return true;
    }
    const { latency, retryAfter } = rule;
    const status = take(rule);
    const { url: path = '' } = request;
    const who = request.headers['user-agent'] ?? '';
    asked.push({ who, path, at: performance.now(), status });
    if (status === 200) return false;
    response.writeHead(status, { 'retry-after': `${retryAfter}` });
    setTimeout(() => response.end(), latency);
    return true;
  };

  const send = async (response: ServerResponse, body: Buffer): Promise<void> => {
    if (rule === undefined) return void response.end(body);
    const { latency, bandwidth } = rule;
    await delay(latency);
    response.writeHead(200, { 'content-length': body.length });
    response.flushHeaders();
    await delay((body.length / bandwidth) * 1_000);
    response.end(body);
  };

  const { url } = await startStrangeRegistry(packages, {
    guard,
    send: (response, body) => void send(response, body).catch(() => response.destroy()),
  });
  return {
    url,
    asked,
    limit(limit, failsFor = 0) {
      asked.length = 0;
      rule = limit;
      [tokens, last, failsUntil] = [limit.burst, performance.now(), performance.now() + failsFor];
    },
    listEarly: () =>
      asked.filter(({ who, at }) =>
        asked.some(
          (one) =>
            one.who === who &&
            one.status !== 200 &&
            one.at < at &&
            at < one.at + (rule?.retryAfter ?? 0) * 1_000,
        ),
      ),
  };
}
