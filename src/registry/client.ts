/** GETs from registries: connections kept alive, redirects, limits, and who is shown which credentials. */
import type { Agent, AgentOptions, OutgoingHttpHeaders } from 'node:http';
import { AnnexError } from '../base/error.ts';
import { codeOf } from '../base/thrown.ts';
import { isLocal, makeTooLarge, type Room, receiveBody } from './body.ts';
import {
  type Asked,
  CERTIFICATE,
  refuseAnswer,
  refuseConnection,
  refuseSignIn,
  refuseSize,
  refuseStatus,
} from './failure.ts';
import { makeInterruptible, type Start } from './interrupt.ts';
import type { NpmSettings } from './npm-settings.ts';
import { composeUserAgent } from './user-agent.ts';

/** What a server said in the end. */
export interface Answer {
  asked: Asked;
  status: number;
  /** Milliseconds that it asks to wait before the next try. */
  retryAfter: number | undefined;
  /** Content-Encoding, in spite of the request. */
  encoding: string | undefined;
  /** Empty unless the status is 200. */
  body: Buffer;
}

/** Whose request it is. */
export interface Purpose {
  /** The package: its registry signs in. */
  name: string;
  /** As messages name it. */
  what: string;
  accept: string;
  /** Bytes that the answer may have. */
  most: number;
}

/** Keeps connections between requests. */
export interface Client {
  /**
   * Gets a URL, over redirects.
   *
   * @throws an error with a refusal when there is no answer or none that may be taken; `isPassing`
   * tells that another try may go well
   * @throws the signal's reason when it is aborted
   */
  get(url: string, purpose: Purpose): Promise<Answer>;
  /** Waits before another try, milliseconds; rejects with the signal's reason when it is aborted. */
  wait(ms: number): Promise<void>;
  /** Drops every connection; what is under way rejects. */
  close(): void;
}

const MAX_REDIRECTS = 5;
/** Bytes of an answer that nobody wants. */
const MOST_IGNORED = 2 ** 16;

/** Since Node 22.21 and 24.5; the types are older. */
type Options = AgentOptions & { proxyEnv?: Record<string, string> };

/** @param dir for bodies that are too large to wait in memory */
export function createClient(settings: NpmSettings, outer: AbortSignal, dir: string): Client {
  const closing = new AbortController();
  const signal = AbortSignal.any([outer, closing.signal]);
  const run = makeInterruptible(signal);
  const agents = new Map<string, Agent>();
  const agentName = composeUserAgent(settings.userAgent);

  const openAgent = (protocol: string, proxy: string | undefined): Agent => {
    const key = `${protocol} ${proxy}`;
    const known = agents.get(key);
    if (known !== undefined) return known;
    const options: Options = { keepAlive: true, maxSockets: settings.maxSockets };
    if (proxy !== undefined) options.proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    const made = makeAgent(protocol, options, settings);
    agents.set(key, made);
    return made;
  };

  const getOnce = async (url: URL, asked: Asked, purpose: Purpose): Promise<Reply> => {
    const authorization = settings.authorizationFor(url.href, purpose.name);
    const headers = {
      accept: purpose.accept,
      'accept-encoding': 'identity',
      'user-agent': agentName,
      ...(authorization !== undefined && { authorization }),
    };
    try {
      const agent = openAgent(url.protocol, settings.proxyFor(url.href));
      const room = { most: purpose.most, dir };
      return await run(send(url, { agent, idle: settings.idleTimeout, headers, room }));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (isLocal(error)) throw error;
      throw fail(asked, error, purpose);
    }
  };

  return {
    async get(address, purpose) {
      let url = parse(address, { what: purpose.what, host: 'the registry' });
      for (let hop = 0; ; hop += 1) {
        const asked = describe(url, purpose, settings);
        const obstacle = settings.indirect(url.href, purpose.name);
        if (obstacle !== undefined) throw refuse(asked, `cannot be asked directly: ${obstacle}`);
        const reply = await getOnce(url, asked, purpose);
        if (reply.location === undefined) return { ...reply, asked };
        if (hop === MAX_REDIRECTS) throw refuse(asked, 'redirects too often');
        const next = parse(reply.location, asked, url);
        if (url.protocol === 'https:' && next.protocol === 'http:') {
          throw refuse(asked, 'redirects from https to http');
        }
        url = next;
      }
    },
    wait: (ms) =>
      run((resolve) => {
        const timer = setTimeout(resolve, ms);
        return () => clearTimeout(timer);
      }),
    close() {
      closing.abort(new Error('the fetcher is closed'));
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/**
 * Not imported: that asks `node:http` for all that it exports, and its WebSocket loads undici. 40 ms
 * against 4, from Node 22 on.
 */
const loadHttp = (): typeof import('node:http') => process.getBuiltinModule('node:http');
/** Loaded late: it costs 3 ms or more, and a registry may speak http. */
const loadHttps = (): typeof import('node:https') => process.getBuiltinModule('node:https');

function makeAgent(protocol: string, options: Options, settings: NpmSettings): Agent {
  if (protocol === 'http:') return new (loadHttp().Agent)(options);
  const ca = settings.readAuthorities();
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  // One for all connections: each would parse the authorities anew, 10 ms for those of a system.
  const secureContext = createSecureContext(ca === undefined ? {} : { ca });
  const { Agent: SecureAgent } = loadHttps();
  return new SecureAgent({ ...options, secureContext, rejectUnauthorized: settings.strictSsl });
}

interface Reply {
  status: number;
  retryAfter: number | undefined;
  location: string | undefined;
  encoding: string | undefined;
  body: Buffer;
}

interface SendOptions {
  agent: Agent;
  headers: OutgoingHttpHeaders;
  idle: number;
  room: Room;
}

/** One request and its answer, to be run. Rejects with the error of the connection. */
function send(url: URL, { agent, headers, idle, room }: SendOptions): Start<Reply> {
  const { get } = url.protocol === 'https:' ? loadHttps() : loadHttp();
  return (resolve, reject) => {
    let isAnswered = false;
    const request = get(url, { agent, headers, timeout: idle }, (response) => {
      isAnswered = true;
      const { statusCode: status = 0 } = response;
      const { location, 'retry-after': after, 'content-encoding': encoding } = response.headers;
      const reply = { status, retryAfter: readDelay(after), location: undefined, encoding };
      const isRedirect = [301, 302, 303, 307, 308].includes(status) && location !== undefined;
      if (status !== 200) {
        // The connection is kept when little is left to read.
        let rest = 0;
        response
          .on('error', () => {})
          .on('data', ({ length }: Buffer) => {
            rest += length;
            if (rest > MOST_IGNORED) request.destroy();
          });
        resolve({ ...reply, location: isRedirect ? location : undefined, body: Buffer.alloc(0) });
        return;
      }
      // Encoding what is compressed already makes it larger, by far less than this.
      const most = encoding === undefined ? room.most : room.most + (room.most >> 8) + 1024;
      const body = receiveBody({ ...room, most });
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
        if (Number(response.headers['content-length'] ?? 0) > most) throw makeTooLarge();
      });
    });
    request.on('timeout', () => request.destroy(makeError('ETIMEDOUT')));
    request.on('error', reject);
    // A change of protocol ends it without an error.
    request.on('close', () => isAnswered || reject(makeError('ECONNRESET')));
    return () => request.destroy();
  };
}

const makeError = (code: string): Error => Object.assign(new Error(code), { code });

/** Seconds, or a date. */
function readDelay(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function parse(address: string, asked: Asked, base?: URL): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw refuse(asked, 'has an address that is no http or https URL');
}

function describe(url: URL, { what }: Purpose, settings: NpmSettings): Asked {
  const proxy = settings.proxyFor(url.href);
  const host = proxy !== undefined && URL.canParse(proxy) ? new URL(proxy).host : undefined;
  return { what, host: url.host, proxy: host };
}

const refuse = (asked: Asked, problem: string): Error =>
  new AnnexError(refuseAnswer(asked, problem));

function fail(asked: Asked, error: unknown, { most }: Purpose): Error {
  const code = codeOf(error) ?? 'no answer';
  if (code === 'E2BIG') {
    return Object.assign(new AnnexError(refuseSize(asked, most)), { isPassing: true });
  }
  if (code === 'ERR_INVALID_CHAR') return new AnnexError(refuseSignIn(asked));
  // What a proxy says to a tunnel.
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 407) return new AnnexError(refuseStatus(asked, 407));
  const isPassing = !CERTIFICATE.test(code) && code !== 'ENOTFOUND';
  return Object.assign(new AnnexError(refuseConnection(asked, code)), { isPassing });
}
