/** Makes annex active in a thread, once; whatever goes wrong in annex itself is reported, and the program runs. */
import Module from 'node:module';
import { join } from 'node:path';
import { isMainThread, parentPort } from 'node:worker_threads';
import { readCwd, readPackage } from '../app/core.ts';
import { findDeclarationProblem } from '../app/lookup.ts';
import { findEntryScript } from '../app/script.ts';
import { loadSettings } from '../app/settings.ts';
import { createLog } from '../base/log.ts';
import { composeMessage, composeNotice } from '../base/messages.ts';
import { CLI, HERE } from '../base/own-files.ts';
import { isInEntry } from '../base/store-layout.ts';
import { messageOf } from '../base/thrown.ts';
import { createLocator, type Locator } from '../resolve/locator.ts';
import { isFirstToTell } from '../resolve/tell.ts';
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
import { createDriver, createInstall } from './driver.ts';
import { watchScript } from './entry-script.ts';
import { createGuard, type Guard } from './guard.ts';
import { registerSync } from './import.ts';
import { openOffThread } from './import-node20.ts';
import { endImpostor } from './impostor.ts';
import { registerRequire } from './require.ts';
import { watchCompile } from './verify-compile.ts';
import { createLoad } from './verify-load.ts';

/** The package and the name of a package manager, given one of its programs; a version may stand between. */
const MANAGER =
  /^(.*[\\/](npm|pnpm|yarn|corepack|annex)(?:[\\/]\d[^\\/]*)?)[\\/](?:bin|lib|dist(?:[\\/]cli)?)[\\/][^\\/]+$/;

/**
 * Activates the hooks in this thread. The second call does nothing.
 *
 * @throws Node's not-found error, for a script that is not where its path leads
 */
export function activate(): void {
  const started = tryStart();
  if (started !== undefined) watchScript(started.locator, started.guard);
}

function tryStart(): Started | undefined {
  try {
    if (getActiveThread() !== undefined || isHooksThread()) return undefined;
    const script = findEntryScript();
    if (script !== undefined && isLeftAlone(script)) return undefined;
    endImpostor();
    const shared = getSharedSettings();
    const settings = shared === undefined ? (load(script) ?? null) : shared;
    shareSettings(settings);
    if (settings !== null && settings.declaration.byPackage.size > 0) return start(settings);
  } catch (error) {
    createLog('error')('error', `annex: the loader is off: ${messageOf(error)}`);
  }
  return undefined;
}

/** What the hooks of a thread are made of. */
interface Started {
  locator: Locator;
  guard: Guard;
}

/** Programs that manage packages stay as they are, and so does annex's own command line. */
function isLeftAlone(script: string): boolean {
  if (isInEntry(script)) return false;
  const [, dir, name] = MANAGER.exec(script) ?? [];
  return (
    (HERE !== undefined && script === join(HERE, CLI)) ||
    (dir !== undefined && readPackage(dir)?.name === name)
  );
}

/** The thread that module.register starts runs a `--require` preload as well: it has no parent port. */
const isHooksThread = (): boolean => !isMainThread && parentPort === null;

/** Registers everything, or nothing when one part cannot be. */
function start(settings: Settings): Started {
  const offThread = Object.hasOwn(Module, 'registerHooks') ? undefined : openOffThread(settings);
  const thread = createThread(settings, offThread ? 'off-thread' : 'sync', offThread?.link);
  const locator = createLocator(thread);
  const install = createInstall(thread);
  const driver = createDriver(locator, install);
  const guard = createGuard(locator, install, (made) => watch(locator, made));
  const restoreRequire = registerRequire(driver, guard);
  try {
    setActiveThread(thread);
    if (offThread) offThread.register();
    else registerSync(driver, guard);
    return { locator, guard };
  } catch (error) {
    restoreRequire();
    clearActiveThread();
    throw error;
  }
}

/** Has what is loaded from entries verified from now on. */
function watch(locator: Locator, guard: Guard): () => boolean {
  const { settings } = locator.thread;
  if (settings.verify !== 'load') return () => true;
  if (isVerifiedAtLoad(settings)) Module.registerHooks({ load: createLoad(guard) });
  return watchCompile(locator, guard);
}

/** Reads the settings, and says in one line each what is wrong with them. */
function load(script: string | undefined): Settings | undefined {
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
    const refusal = findDeclarationProblem(settings, feature);
    if (refusal === undefined || !isFirstToTell(settings, feature)) continue;
    log('error', composeMessage(refusal, { feature: feature.name }));
  }
  return settings;
}
