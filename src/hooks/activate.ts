/** Activates annex in a thread, once. A fault in annex itself is logged, and the program runs without annex. */
import Module from 'node:module';
import { join } from 'node:path';
import { isMainThread, parentPort } from 'node:worker_threads';
import { readCwd, readPackage } from '../app/core.ts';
import { findEntryScript } from '../app/script.ts';
import { loadSettings } from '../app/settings.ts';
import { createLog } from '../base/log.ts';
import { composeMessage, composeNotice } from '../base/messages.ts';
import { CLI, HERE } from '../base/own-files.ts';
import { isInEntry } from '../base/store-layout.ts';
import { messageOf } from '../base/thrown.ts';
import { createLocator, type Locator } from '../resolve/locator.ts';
import { isFirstReport } from '../resolve/report.ts';
import {
  clearActiveThread,
  createThread,
  getActiveThread,
  getSharedSettings,
  setActiveThread,
  shareSettings,
} from '../resolve/thread.ts';
import type { Settings } from '../settings/settings.ts';
import { isVerifiedAtLoad } from '../store/finder.ts';
import { createDriver } from './driver.ts';
import { verifyEntryScript } from './entry-script.ts';
import { registerImport } from './import.ts';
import { openOffThread } from './import-node20.ts';
import { registerRequire } from './require.ts';
import { createInstall, exitIfInstaller } from './run-installer.ts';
import { watchCompile } from './verify-compile.ts';
import { createVerifier, type Verifier } from './verify-entry.ts';
import { createLoad } from './verify-load.ts';

/** The active hooks of a thread. */
interface Hooks {
  locator: Locator;
  verifier: Verifier;
}

/**
 * Activates annex in this thread. The second call does nothing.
 *
 * @throws Node's not-found error, when the entry script is a link out of its store entry
 */
export function activate(): void {
  const hooks = tryRegister();
  if (hooks !== undefined) verifyEntryScript(hooks.locator, hooks.verifier);
}

/** @returns undefined when annex stays inactive in this thread */
function tryRegister(): Hooks | undefined {
  try {
    if (getActiveThread() !== undefined || isHooksThread()) return undefined;
    const script = findEntryScript();
    if (script !== undefined && isPackageManager(script)) return undefined;
    exitIfInstaller();
    const shared = getSharedSettings();
    const settings = shared === undefined ? (loadAndLogSettings(script) ?? null) : shared;
    shareSettings(settings);
    if (settings !== null && settings.declaration.byPackage.size > 0) return register(settings);
  } catch (error) {
    createLog('error')('error', `annex: the loader is off: ${messageOf(error)}`);
  }
  return undefined;
}

/** Whether this is the thread of module.register, which runs `--require` preloads too: it has no parent port. */
const isHooksThread = (): boolean => !isMainThread && parentPort === null;

/** Directory and name of a package manager, in the path of one of its programs; the directory may end in a version. */
const MANAGER =
  /^(.*[\\/](npm|pnpm|yarn|corepack|annex)(?:[\\/]\d[^\\/]*)?)[\\/](?:bin|lib|dist(?:[\\/]cli)?)[\\/][^\\/]+$/;

/** Whether a script is a program of a package manager, or annex's own command line. */
function isPackageManager(script: string): boolean {
  if (isInEntry(script)) return false;
  if (HERE !== undefined && script === join(HERE, CLI)) return true;
  const [, dir, name] = MANAGER.exec(script) ?? [];
  return dir !== undefined && readPackage(dir)?.name === name;
}

/** Reads the settings, and logs each mistake in them. */
function loadAndLogSettings(script: string | undefined): Settings | undefined {
  const loaded = loadSettings({ script, cwd: readCwd(), self: HERE });
  if (loaded.settings === undefined) {
    const log = createLog(loaded.log);
    log(loaded.isProblem ? 'error' : 'debug', composeNotice(loaded.refusal));
    return undefined;
  }
  const { settings } = loaded;
  const log = createLog(settings.log);
  for (const notice of settings.notices) log('error', composeNotice(notice));
  for (const feature of settings.declaration.features.values()) {
    const { refusal } = feature;
    if (refusal === undefined || !isFirstReport(settings, feature)) continue;
    log('error', composeMessage(refusal, { feature: feature.name }));
  }
  return settings;
}

/** Registers all hooks, or none when one of them cannot be registered. */
function register(settings: Settings): Hooks {
  const offThread = Object.hasOwn(Module, 'registerHooks') ? undefined : openOffThread(settings);
  const thread = createThread(settings, offThread ? 'off-thread' : 'sync', offThread?.link);
  const locator = createLocator(thread);
  const install = createInstall(thread);
  const driver = createDriver(locator, install);
  const verifier = createVerifier(locator, install, (made) => watchLoads(locator, made));
  const restoreRequire = registerRequire(driver, verifier);
  try {
    setActiveThread(thread);
    if (offThread) offThread.register();
    else registerImport(driver, verifier);
    return { locator, verifier };
  } catch (error) {
    restoreRequire();
    clearActiveThread();
    throw error;
  }
}

/** Makes Node's loaders verify files of entries; returns a function that ensures they still do. */
function watchLoads(locator: Locator, verifier: Verifier): () => boolean {
  const { settings } = locator.thread;
  if (settings.verify !== 'load') return () => true;
  if (isVerifiedAtLoad(settings)) Module.registerHooks({ load: createLoad(locator, verifier) });
  return watchCompile(locator, verifier);
}
