/** Asks registries for keys and signatures within the time limit of an application. */
import type { Variables } from '../../base/environment.ts';
import { AnnexError } from '../../base/error.ts';
import { refuseByTime } from '../../install/install.ts';
import { openSignatures, type SignatureSource } from '../../lock/signatures.ts';
import type { NpmSettings } from '../../registry/npm-settings.ts';
import type { Settings } from '../../settings/settings.ts';

/**
 * Opens a source of signatures, and closes it after its use.
 *
 * @throws AnnexError when the time is over
 */
export async function withSignatures<T>(
  settings: Settings,
  { npm, env }: { npm: NpmSettings; env: Variables },
  use: (source: SignatureSource) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(settings.timeout);
  const source = openSignatures(npm, signal, env.PATH);
  try {
    return await use(source);
  } catch (error) {
    throw signal.aborted ? new AnnexError(refuseByTime(settings)) : error;
  } finally {
    source.close();
  }
}
