/** GETs from registries: kept connections, redirects, limits, and which host gets which credentials. */
import { setMaxListeners } from 'node:events';
import type { Agent } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { AnnexError } from '../base/error.ts';
import { codeOf } from '../base/thrown.ts';
import { isLocal } from './body.ts';
import {
  asksToSlowDown,
  CERTIFICATE,
  failResponse,
  isTransientStatus,
  makeRequestError,
  refuseConnection,
  refuseHeader,
  refuseSize,
  refuseStatus,
  type Target,
} from './failure.ts';
import type { NpmSettings } from './npm-settings.ts';
import { createPacer, type PaceOptions } from './pace.ts';
import { composeUserAgent, makeAgent, type Reply, type SendOptions, send } from './request.ts';

/** The response to a request, after redirects; its status is 200. */
export interface RegistryResponse {
  target: Target;
  /** Content-Encoding, although the request refuses any. */
  encoding: string | undefined;
  body: Buffer;
}

/** The subject and the limits of a request. */
export interface RequestOptions {
  /** The package, whose registry signs in. */
  name: string;
  /** The package as messages name it. */
  label: string;
  accept: string;
  /** Largest body, bytes. */
  maxBytes: number;
  /** Called with the number of bytes of each chunk that arrives. */
  onBytes?: (count: number) => void;
}

/** Keeps connections between requests. */
export interface Client {
  /**
   * Gets a URL, over redirects.
   *
   * @throws a RequestError for every failure of the connection or the server; errors of the file
   *   system; the signal's reason when it is aborted
   */
  get(url: string, options: RequestOptions): Promise<RegistryResponse>;
  /** Waits milliseconds; rejects with the signal's reason when it is aborted, or with that of `finish`. */
  wait(ms: number): Promise<void>;
  /** Whether a request can follow a pause of so many milliseconds: after the deadline none is made. */
  hasTimeFor(ms: number): boolean;
  /** Lets requests under way finish; waits end, and further requests reject with the reason. */
  finish(reason: unknown): void;
  /** Drops every connection; pending requests reject. */
  close(): void;
}

const MAX_REDIRECTS = 5;

/** Milliseconds for all requests of a client without a deadline. */
const USUAL_LIMIT = 300_000;

/** What the caller knows of all requests of a client. */
export type Extent = Partial<Pick<PaceOptions, 'deadline' | 'tarballs'>>;

/** @param dir for bodies that are too large for memory */
export function createClient(
  settings: NpmSettings,
  outer: AbortSignal,
  dir: string,
  { deadline = performance.now() + USUAL_LIMIT, tarballs = 0 }: Extent = {},
): Client {
  const closing = new AbortController();
  const finishing = new AbortController();
  const signal = AbortSignal.any([outer, closing.signal]);
  // One listener a request: Node warns of more than ten.
  const starting = AbortSignal.any([signal, finishing.signal]);
  setMaxListeners(0, signal, starting);
  const wait = async (ms: number): Promise<void> => {
    starting.throwIfAborted();
    if (ms === 0) return;
    await setTimeout(ms, undefined, { signal: starting }).catch(() => starting.throwIfAborted());
  };
  const pacer = createPacer(settings, { deadline, wait, tarballs });
  starting.addEventListener('abort', pacer.wake);
  const agents = new Map<string, Agent>();
  const userAgent = composeUserAgent(settings.userAgent);

  const openAgent = (protocol: string, proxy: string | undefined): Agent => {
    const key = `${protocol} ${proxy}`;
    const known = agents.get(key);
    if (known !== undefined) return known;
    const agent = makeAgent(protocol, proxy, settings);
    agents.set(key, agent);
    return agent;
  };

  /** Asks in turn. The turn ends with the head of the answer: a long transfer holds nothing up. */
  const getPaced = async (url: URL, target: Target, options: RequestOptions): Promise<Reply> => {
    await wait(0);
    const leave = await pacer.enter(url.host);
    let isAnswered = false;
    try {
      return await getOnce(url, target, options, ({ status, retryAfter }) => {
        isAnswered = true;
        if (!asksToSlowDown(status, retryAfter)) leave({ isAnswered: status < 500 });
        else leave({ refusal: refuseStatus(target, status, toTime(retryAfter)), retryAfter });
      });
    } finally {
      if (!isAnswered) leave({ isAnswered: false });
    }
  };

  const getOnce = async (
    url: URL,
    target: Target,
    options: RequestOptions,
    onAnswer: SendOptions['onAnswer'],
  ): Promise<Reply> => {
    const authorization = settings.authorizationFor(url.href, options.name);
    const headers = {
      accept: options.accept,
      'accept-encoding': 'identity',
      'user-agent': userAgent,
      ...(authorization !== undefined && { authorization }),
    };
    try {
      signal.throwIfAborted();
      const agent = openAgent(url.protocol, settings.proxyFor(url.href));
      const { maxBytes, onBytes } = options;
      const limits = { maxBytes, dir, ...(onBytes && { onBytes }) };
      const idle = settings.idleTimeout;
      return await send(url, { agent, idle, headers, signal, onAnswer }, limits);
    } catch (error) {
      signal.throwIfAborted();
      throw isLocal(error) ? error : toRequestError(error, target, options);
    }
  };

  return {
    async get(address, options) {
      const { label, name } = options;
      let url = parseAddress(address, { label, host: '' });
      for (let hop = 0; ; hop += 1) {
        const target = describeTarget(url, label, settings);
        const obstacle = settings.indirect(url.href, name);
        if (obstacle !== undefined) {
          throw failResponse(target, `cannot be requested directly: ${obstacle}`);
        }
        const { status, location, retryAfter, ...response } = await getPaced(url, target, options);
        if (status === 200) return { ...response, target };
        if (location === undefined) {
          const isTransient = isTransientStatus(status);
          const pause = asksToSlowDown(status, retryAfter) ? retryAfter : undefined;
          const facts = { isTransient, status, retryAfter: pause };
          throw makeRequestError(refuseStatus(target, status, toTime(pause)), facts);
        }
        if (hop === MAX_REDIRECTS) throw failResponse(target, 'redirects too often');
        const next = parseAddress(location, target, url);
        if (url.protocol === 'https:' && next.protocol === 'http:') {
          throw failResponse(target, 'redirects from https to http');
        }
        url = next;
      }
    },
    wait,
    hasTimeFor: (ms) => performance.now() + ms < deadline,
    finish: (reason) => finishing.abort(reason),
    close() {
      closing.abort(new Error('the fetcher is closed'));
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** When a pause that starts now is over. */
const toTime = (pause: number | undefined): number | undefined =>
  pause === undefined ? undefined : Date.now() + pause;

function parseAddress(address: string, target: Target, base?: URL): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw failResponse(target, 'has an address that is not an http or https URL');
}

function describeTarget(url: URL, label: string, settings: NpmSettings): Target {
  const proxy = settings.proxyFor(url.href);
  const host = proxy !== undefined && URL.canParse(proxy) ? new URL(proxy).host : undefined;
  return { label, host: url.host, proxy: host };
}

function toRequestError(error: unknown, target: Target, { maxBytes }: RequestOptions): AnnexError {
  const code = codeOf(error) ?? 'no answer';
  if (code === 'E2BIG')
    return makeRequestError(refuseSize(target, maxBytes), { isTransient: true });
  if (code === 'ERR_INVALID_CHAR') {
    return makeRequestError(refuseHeader(target), { isTransient: false });
  }
  // The answer of a proxy to CONNECT.
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 407)
    return makeRequestError(refuseStatus(target, 407), { isTransient: false });
  const isTransient = !CERTIFICATE.test(code) && code !== 'ENOTFOUND';
  return makeRequestError(refuseConnection(target, code), { isTransient, isUnreachable: true });
}
