/** Paces the requests to each host: few at first, more with each answer, and none before a host that refused allows it. */
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
}

/** The state of one host. */
interface Host {
  /** Grows with each answer, and halves when the host asks to slow down. */
  share: number;
  /** The host has asked to slow down: requests start one after the other, `mintimeout / share` apart. */
  isLimited: boolean;
  /** Requests without an answer. */
  active: number;
  /** The earliest start of the next request, and the last refusal: ms of the monotonic clock. */
  next: number;
  refusedAt: number;
  refusal?: Refusal;
  waiting: (() => void)[];
}

/** Requests at a time to a host that has never refused one. */
const MOST = 8;
/** Answers before one more request is made at a time. */
const ANSWERS_PER_REQUEST = 2;
/** Growth of the share with an answer, once a host has refused a request. */
const GROWTH = 1.05;
/** The share at which a host no longer counts as limited. */
const FULL = MOST * ANSWERS_PER_REQUEST;
/** The first request after a refusal starts within so many intervals: installers that were refused together spread. */
const SPREAD = 1.5;

/** A point in time of the monotonic clock, and the way to wait. */
export interface PaceOptions {
  deadline: number;
  wait: (ms: number) => Promise<void>;
}

/**
 * Creates a pacer. Its rule has one number for each host, the share: `share / 2` requests run at a time. Once the
 * host has asked to slow down, a request starts each `fetch-retry-mintimeout / share` milliseconds.
 *
 * @example
 * const leave = await pacer.enter('registry.corp');
 * leave({ isAnswered: true });
 */
export function createPacer(
  { retryMinimum }: Pick<NpmSettings, 'retryMinimum'>,
  { deadline, wait }: PaceOptions,
): Pacer {
  const hosts = new Map<string, Host>();
  const open = (name: string): Host => {
    const known = hosts.get(name);
    if (known !== undefined) return known;
    const host: Host = {
      share: 0,
      isLimited: false,
      active: 0,
      next: 0,
      refusedAt: -1,
      waiting: [],
    };
    hosts.set(name, host);
    return host;
  };
  const intervalOf = ({ share }: Host): number => retryMinimum / share;

  const leave = (host: Host, start: number, outcome: Outcome): void => {
    host.active -= 1;
    if ('refusal' in outcome) {
      const { refusal, retryAfter = 0 } = outcome;
      const now = performance.now();
      // Requests that were under way together are one refusal.
      if (start > host.refusedAt) host.share = Math.max(1, host.share / 2);
      const spread = Math.random() * SPREAD * intervalOf(host);
      Object.assign(host, { isLimited: true, refusedAt: now, refusal });
      host.next = Math.max(host.next, now + retryAfter + spread);
    } else if (outcome.isAnswered) {
      host.share = Math.min(FULL, host.isLimited ? host.share * GROWTH : host.share + 1);
      if (host.share === FULL) host.isLimited = false;
    }
    for (const wake of host.waiting.splice(0)) wake();
  };

  return {
    async enter(name) {
      const host = open(name);
      for (;;) {
        const now = performance.now();
        if (host.next > deadline && host.refusal !== undefined) {
          throw makeRequestError(host.refusal, { isTransient: false, status: 429 });
        }
        if (host.next > now) {
          await wait(host.next - now);
        } else if (host.active < Math.max(1, Math.floor(host.share / ANSWERS_PER_REQUEST))) {
          break;
        } else {
          await new Promise<void>((resolve) => host.waiting.push(resolve));
          await wait(0);
        }
      }
      const start = performance.now();
      host.active += 1;
      if (host.isLimited) host.next = start + intervalOf(host);
      return (outcome) => leave(host, start, outcome);
    },
  };
}
