/** Ends a program that was started as an installer and is the application itself. */
import { isMainThread } from 'node:worker_threads';
import { createLog } from '../base/log.ts';
import { isInstaller } from '../settings/environment.ts';

/** In a single executable, say, `process.execPath` is the application: it must not run twice. */
export function endImpostor(): void {
  if (!isMainThread || !isInstaller()) return;
  const line = 'annex: this program was started as an installer and is none; it ends here';
  createLog('error')('error', line);
  process.exit(70);
}
