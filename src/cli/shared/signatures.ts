/** Asks registries for keys and signatures within the time limit of an application. */
import { AnnexError } from '../../base/error.ts';
import { startTimeLimit } from '../../base/time-limit.ts';
import { refuseByTime } from '../../install/stop.ts';
import { openSignatures, type SignatureSource } from '../../lock/signatures.ts';
import { readNpmSettings } from '../../registry/npm-settings.ts';
import { readInstallerEnv } from '../../settings/environment.ts';
import type { Settings } from '../../settings/settings.ts';
import { refuse } from './command.ts';

/**
 * Opens a source of signatures, and closes it after its use.
 *
 * @throws AnnexError when npm is set to offline, and when the time is over
 */
export async function withSignatures<T>(
  settings: Settings,
  use: (source: SignatureSource) => Promise<T>,
): Promise<T> {
  const env = readInstallerEnv(settings);
  const npm = readNpmSettings(settings.core.root, env);
  if (npm.offline) {
    const reason = 'npm is set to offline, and only the registry has keys and signatures';
    throw refuse(reason, 'remove that setting', 'ANNEX_OFFLINE');
  }
  const signal = startTimeLimit(settings.timeout);
  const source = openSignatures(npm, signal, env.PATH);
  try {
    return await use(source);
  } catch (error) {
    throw signal.aborted ? new AnnexError(refuseByTime(settings)) : error;
  } finally {
    source.close();
  }
}
