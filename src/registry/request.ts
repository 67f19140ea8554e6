/** One HTTP request and its response. */
import type { Agent, AgentOptions, OutgoingHttpHeaders } from 'node:http';
import { version } from '../base/own-files.ts';
import { type BodyLimits, makeTooLarge, receiveBody } from './body.ts';
import type { NpmSettings } from './npm-settings.ts';

/** Bytes of the body of another status that are read to keep the connection. */
const MAX_IGNORED = 2 ** 16;

/** `proxyEnv`: since Node 22.21 and 24.5; the types are older. */
type ProxyAgentOptions = AgentOptions & { proxyEnv?: Record<string, string> };

/**
 * Not imported: that evaluates every export of `node:http`, whose WebSocket loads undici. 40 ms
 * instead of 4, from Node 22 on.
 */
const loadHttp = (): typeof import('node:http') => process.getBuiltinModule('node:http');
/** Loaded late: it costs 3 ms or more, and a registry may use http. */
const loadHttps = (): typeof import('node:https') => process.getBuiltinModule('node:https');

/** An agent that keeps connections, over a proxy or direct. */
export function makeAgent(
  protocol: string,
  proxy: string | undefined,
  settings: NpmSettings,
): Agent {
  const options: ProxyAgentOptions = { keepAlive: true, maxSockets: settings.maxSockets };
  if (proxy !== undefined) options.proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  if (protocol === 'http:') return new (loadHttp().Agent)(options);
  const ca = settings.readAuthorities();
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  // One for all connections: each would parse the authorities again, 10 ms for those of a system.
  const secureContext = createSecureContext(ca === undefined ? {} : { ca });
  const { Agent: SecureAgent } = loadHttps();
  return new SecureAgent({ ...options, secureContext, rejectUnauthorized: settings.strictSsl });
}

/** A response, with an empty body unless its status is 200. */
export interface Reply {
  status: number;
  /** Milliseconds that the server asks to wait. */
  retryAfter: number | undefined;
  /** Of a redirect. */
  location: string | undefined;
  encoding: string | undefined;
  body: Buffer;
}

/** A request. */
export interface SendOptions {
  agent: Agent;
  headers: OutgoingHttpHeaders;
  /** Milliseconds without a byte after which the request is given up. */
  idle: number;
  signal: AbortSignal;
  /** Called with the head of the response. */
  onAnswer: (head: Pick<Reply, 'status' | 'retryAfter'>) => void;
}

/** One request and its response. Rejects with the error of the connection. */
export const send = (
  url: URL,
  { agent, headers, idle, signal, onAnswer }: SendOptions,
  { maxBytes, dir }: BodyLimits,
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const { get } = url.protocol === 'https:' ? loadHttps() : loadHttp();
    let isAnswered = false;
    const request = get(url, { agent, headers, timeout: idle, signal }, (response) => {
      isAnswered = true;
      const { statusCode: status = 0 } = response;
      const {
        location,
        date,
        'retry-after': after,
        'content-encoding': encoding,
      } = response.headers;
      const reply = { status, retryAfter: readDelay(after, date), location: undefined, encoding };
      onAnswer(reply);
      const isRedirect = [301, 302, 303, 307, 308].includes(status);
      if (status !== 200) {
        let ignored = 0;
        response
          .on('error', () => {})
          .on('data', ({ length }: Buffer) => {
            ignored += length;
            if (ignored > MAX_IGNORED) request.destroy();
          });
        resolve({ ...reply, location: isRedirect ? location : undefined, body: Buffer.alloc(0) });
        return;
      }
      // Encoding what is compressed already makes it larger, by far less than this.
      const limit = encoding === undefined ? maxBytes : maxBytes + (maxBytes >> 8) + 1024;
      const body = receiveBody({ maxBytes: limit, dir });
      const attempt = (action: () => void): void => {
        try {
          action();
        } catch (error) {
          reject(error);
          request.destroy();
        }
      };
      response.on('data', (chunk: Buffer) => attempt(() => body.add(chunk)));
      response.on('error', reject);
      response.on('end', () => attempt(() => resolve({ ...reply, body: body.take() })));
      response.on('close', body.drop);
      attempt(() => {
        if (Number(response.headers['content-length'] ?? 0) > limit) throw makeTooLarge();
      });
    });
    const makeError = (code: string): Error => Object.assign(new Error(code), { code });
    request.on('timeout', () => request.destroy(makeError('ETIMEDOUT')));
    request.on('error', reject);
    // A change of protocol ends it without an error.
    request.on('close', () => isAnswered || reject(makeError('ECONNRESET')));
  });

/** The longest delay, ms: a failure is not remembered for longer. */
const LONGEST_DELAY = 24 * 3_600_000;

/**
 * Reads a Retry-After header, which holds seconds or a date.
 *
 * @param date the header Date of the same response: the clocks of the two machines may differ
 * @returns milliseconds, a day at most; undefined for anything else
 * @example readDelay('Mon, 30 Nov 2026 10:00:30 GMT', 'Mon, 30 Nov 2026 10:00:00 GMT') // 30_000
 */
export function readDelay(
  header: string | undefined,
  date: string | undefined,
): number | undefined {
  if (header === undefined) return undefined;
  const isSeconds = /^\d+(?:\.\d+)?$/.test(header);
  const ms = isSeconds ? Number(header) * 1000 : readDate(header) - (readDate(date) || Date.now());
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_DELAY, Math.max(0, ms));
}

/** Date.parse takes `-5` for a day in 2001. */
const readDate = (header = ''): number => (/ GMT$/.test(header) ? Date.parse(header) : Number.NaN);

/** npm's own default, with annex beside the unknown version of npm: some registries admit only npm. */
const USER_AGENT = `npm/{npm-version} annex/${version} node/{node-version} {platform} {arch}`;

/**
 * Fills in npm's setting `user-agent`.
 *
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/config/lib/definitions/definitions.js `user-agent`
 * @example composeUserAgent(undefined) // 'npm/? annex/1.0.0 node/v24.18.0 linux x64'
 */
export const composeUserAgent = (template = USER_AGENT): string =>
  template
    .replace(/\{node-version\}/gi, process.version)
    .replace(/\{npm-version\}/gi, '?')
    .replace(/\{platform\}/gi, process.platform)
    .replace(/\{arch\}/gi, process.arch)
    .replace(/\{workspaces\}/gi, 'false')
    .replace(/\{ci\}/gi, '')
    .replace(/[^\x20-\x7e]/g, '')
    .trim();
