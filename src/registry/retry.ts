/** Repeats a request to a registry as npm does, after a failure that may pass. */
import type { Client } from './client.ts';
import { isRequestError } from './failure.ts';
import type { NpmSettings } from './npm-settings.ts';

/** npm's settings for retries. */
export type RetrySettings = Pick<
  NpmSettings,
  'retries' | 'retryFactor' | 'retryMinimum' | 'retryMaximum'
>;

/** After a shorter Retry-After the attempt counts as any other. */
const SHORTEST_PAUSE = 1_000;

/** The longest pause after a request without a response: a program waits, and the failure is remembered for a while. */
const UNREACHABLE_PAUSE = 1_000;

/**
 * Repeats an attempt up to `fetch-retries` times, soon if no response came, where npm waits. No pause ends after
 * the deadline of the client. An attempt that a registry put off with Retry-After does not count: the client makes
 * no request to that host before, and throws when that is after its deadline.
 *
 * @throws what the last attempt throws; the signal's reason when the client's signal is aborted
 * @example await withRetries(() => client.get(url, options), client, settings)
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  client: Pick<Client, 'wait' | 'hasTimeFor'>,
  { retries, retryFactor, retryMinimum, retryMaximum }: RetrySettings,
): Promise<T> {
  for (let tries = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRequestError(error) || !error.isTransient) throw error;
      if ((error.retryAfter ?? 0) >= SHORTEST_PAUSE) continue;
      if (tries >= retries) throw error;
      const bound = error.isUnreachable ? UNREACHABLE_PAUSE : retryMaximum;
      const longest = Math.min(bound, retryMinimum * retryFactor ** tries);
      // Jitter: clients that a registry turns away together must not return together.
      const pause = Math.random() * longest;
      if (!client.hasTimeFor(pause)) throw error;
      tries += 1;
      await client.wait(pause);
    }
  }
}
