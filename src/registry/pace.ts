/** Paces the requests to each host: few at first, more with the answers, and none before a host that refused allows it. */
import type { Refusal } from '../types.ts';
import { makeRequestError } from './failure.ts';
import type { NpmSettings } from './npm-settings.ts';

/** What became of a request: an answer, no answer, or a refusal by a host that has too many requests. */
export type Outcome =
  | { isAnswered: boolean }
  | { refusal: Refusal; retryAfter: number | undefined };

/** Admits requests. */
export interface Pacer {
  /**
   * Waits until a request to a host may start.
   *
   * @returns a function to call when its answer begins, or fails to
   * @throws the last refusal of the host when its turn is after the deadline; what `wait` throws
   */
  enter(host: string): Promise<(outcome: Outcome) => void>;
  /** Lets everything that waits for an answer call `wait`, which throws after an abort. */
  wake(): void;
}

/** The state of one host. */
export interface Host {
  /** Requests that the host has answered since it last refused one. */
  answers: number;
  /** The least time between the starts of two requests, ms: 0 until the host refuses one. */
  interval: number;
  /** Requests without an answer. */
  active: number;
  /** The earliest start of the next request, and the last refusal: ms of the monotonic clock. */
  next: number;
  refusedAt: number;
  refusal?: Refusal;
  waiting: (() => void)[];
}

/** Requests at a time. */
const MOST = 8;
/** At first one request at a time is made for so many tarballs: a refusal refuses all that are under way. */
const TARBALLS_PER_REQUEST = 20;
/** Answers before one more request is made at a time. */
const ANSWERS_PER_REQUEST = 2;
/** Answers in a row before requests become twice as frequent: each attempt may cost a refusal. */
const ANSWERS_PER_REFUSAL = 5;
/** The first request after a refusal starts within so many intervals: installers that were refused together spread. */
const SPREAD = 1.25;

/** Of this process: it may install several features at a time, and a registry sees one client. */
const HOSTS = new Map<string, Host>();

/** The way to wait, and what is known of the requests. */
export interface PaceOptions {
  /** No request waits for a turn beyond this time: ms of the monotonic clock. */
  deadline: number;
  wait: (ms: number) => Promise<void>;
  /** Tarballs that are to be fetched; 0 if unknown. */
  tarballs: number;
  /** By name; those of this process by default. */
  hosts?: Map<string, Host>;
}

/**
 * Creates a pacer. A host that has refused a request gets one at most every `interval`: at first
 * `fetch-retry-mintimeout`, divided by its answers until then. The interval at least doubles with each further refusal,
 * up to `fetch-retry-mintimeout`, and halves after each five answers in a row.
 *
 * @example
 * const leave = await pacer.enter('registry.corp');
 * leave({ isAnswered: true });
 */
export function createPacer(
  { retryMinimum }: Pick<NpmSettings, 'retryMinimum'>,
  { deadline, wait, tarballs, hosts = HOSTS }: PaceOptions,
): Pacer {
  const open = (name: string): Host => {
    const known = hosts.get(name);
    if (known !== undefined) return known;
    const host = { answers: 0, interval: 0, active: 0, next: 0, refusedAt: -1, waiting: [] };
    hosts.set(name, host);
    return host;
  };
  const hasRoom = ({ active, answers }: Host): boolean => {
    const share = Math.max(answers / ANSWERS_PER_REQUEST, tarballs / TARBALLS_PER_REQUEST);
    return active < Math.min(MOST, Math.max(1, Math.floor(share)));
  };

  const wake = ({ waiting }: Host): void => {
    for (const resolve of waiting.splice(0)) resolve();
  };

  const slowDown = (host: Host): void => {
    const slower = Math.max(host.interval * 2, retryMinimum / Math.max(1, host.answers));
    host.interval = Math.min(retryMinimum, slower);
    host.answers = 0;
  };

  const leave = (host: Host, start: number, outcome: Outcome): void => {
    host.active -= 1;
    // Requests that were under way together are one refusal, and no sign that it is over.
    const isLater = start > host.refusedAt;
    if ('refusal' in outcome) {
      const { refusal, retryAfter = 0 } = outcome;
      const now = performance.now();
      if (isLater) slowDown(host);
      const spread = Math.random() * SPREAD * host.interval;
      Object.assign(host, { refusal, refusedAt: now });
      host.next = Math.max(host.next, now + retryAfter + spread);
    } else if (outcome.isAnswered && isLater) {
      host.answers += 1;
      if (host.answers % ANSWERS_PER_REFUSAL === 0) host.interval /= 2;
    }
    wake(host);
  };

  return {
    async enter(name) {
      const host = open(name);
      for (;;) {
        const now = performance.now();
        if (host.next > deadline && host.refusal !== undefined) {
          throw makeRequestError(host.refusal, { isTransient: false, retryAfter: host.next - now });
        }
        if (host.next > now) {
          await wait(host.next - now);
        } else if (hasRoom(host)) {
          break;
        } else {
          await new Promise<void>((resolve) => host.waiting.push(resolve));
          await wait(0);
        }
      }
      const start = performance.now();
      host.active += 1;
      if (host.interval > 0) host.next = start + host.interval;
      return (outcome) => leave(host, start, outcome);
    },
    wake: () => {
      for (const host of hosts.values()) wake(host);
    },
  };
}
