/** Makes annex active in a thread, once; never throws and never fails silently. */
import * as nodeModule from 'node:module';
import { isMainThread, parentPort } from 'node:worker_threads';
import { isInstaller } from '../config.ts';
import { findEntryScript } from '../core.ts';
import { composeMessage, composeNotice, messageOf } from '../errors.ts';
import { createLog } from '../log.ts';
import { CLI } from '../paths.ts';
import { findDeclarationRefusal } from '../refusals.ts';
import { loadSettings } from '../settings.ts';
import {
  createThread,
  getActiveThread,
  getSharedSettings,
  setActiveThread,
  shareSettings,
} from '../thread.ts';
import type { Settings } from '../types.ts';
import { createDriver } from './drive.ts';
import { registerOffThread } from './off-thread.ts';
import { registerRequire } from './require.ts';
import { registerSync } from './sync.ts';

/** Programs that manage packages stay as they are, and so does annex's own CLI. */
const LEFT_ALONE =
  /[\\/](?:npm|pnpm|yarn|corepack|annex[\\/]dist)[\\/](?:bin|dist|lib|cli)[\\/][^\\/]+$/;

/** Activates the hooks in this thread. The second call does nothing. */
export function activate(): void {
  try {
    if (getActiveThread() !== undefined || isHooksThread()) return;
    const script = findEntryScript();
    if (script !== undefined && (script === CLI || LEFT_ALONE.test(script))) return;
    if (isMainThread && isInstaller()) endImpostor();
    const settings = getSharedSettings() ?? load(script);
    if (settings === undefined) return;
    shareSettings(settings);
    if (settings.declaration.byPackage.size > 0) start(settings);
  } catch (error) {
    createLog('error')('error', `annex: the loader is off: ${messageOf(error)}`);
  }
}

/** The thread that module.register starts runs a `--require` preload as well: it has no parent port. */
const isHooksThread = (): boolean => !isMainThread && parentPort === null;

function start(settings: Settings): void {
  const isSync = 'registerHooks' in nodeModule;
  const thread = isSync
    ? createThread(settings, 'sync')
    : createThread(settings, 'off-thread', registerOffThread(settings));
  const driver = createDriver(thread);
  if (isSync) registerSync(driver);
  registerRequire(driver);
  setActiveThread(thread);
}

/** Reads the settings, and says in one line each what is wrong with them. */
function load(script: string | undefined): Settings | undefined {
  const loaded = loadSettings({ script, cwd: process.cwd() });
  if (loaded.settings === undefined) {
    const log = createLog(loaded.log);
    log(loaded.isProblem ? 'error' : 'debug', composeNotice(loaded.refusal));
    return undefined;
  }
  const { settings } = loaded;
  const log = createLog(settings.log);
  for (const notice of settings.notices) log('error', composeNotice(notice));
  for (const feature of settings.declaration.features.values()) {
    const refusal = findDeclarationRefusal(settings, feature);
    if (refusal !== undefined) log('error', composeMessage(refusal, { feature: feature.name }));
  }
  return settings;
}

/** This process was to be an installer, but is the application: a single executable, say. */
function endImpostor(): never {
  createLog('error')(
    'error',
    'annex: this program was started as an installer and is none; it ends here',
  );
  process.exit(70);
}
