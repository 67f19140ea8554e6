/** Repeats a request to a registry once, after a failure that may pass. */
import type { Client } from './client.ts';
import { isRequestError } from './failure.ts';

/** Longest delay that a registry may ask for, milliseconds. */
const MAX_RETRY_AFTER = 30_000;

/**
 * Makes one or two attempts.
 *
 * @param backoff milliseconds between them, unless the registry asks for more
 * @throws what the last attempt throws; the signal's reason when the client's signal is aborted
 * @example await retryOnce(() => client.get(url, options), client, settings.backoff)
 */
export async function retryOnce<T>(
  attempt: () => Promise<T>,
  client: Pick<Client, 'wait'>,
  backoff: number,
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isRequestError(error) || !error.isTransient) throw error;
    const delay = Math.max(backoff, error.retryAfter ?? 0);
    if (delay > MAX_RETRY_AFTER) throw error;
    // Jitter: clients that a registry turns away together must not return together.
    await client.wait(delay + Math.random() * backoff);
    return attempt();
  }
}
