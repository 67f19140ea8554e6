/** The second stage of the loader: resolves the requests that concern annex. */
import Module, { type ResolveHookSync } from 'node:module';
import type { CoreManifest } from '../app/core-root.ts';
import { loadSettings } from '../app/settings.ts';
import type { Variables } from '../base/environment.ts';
import { createLog } from '../base/log.ts';
import { composeMessage, composeNotice } from '../base/messages.ts';
import { HERE } from '../base/own-files.ts';
import { readCwd } from '../base/paths.ts';
import { setSharedSettings } from '../resolve/active.ts';
import { createLocator, type Locator } from '../resolve/locator.ts';
import { isFirstNotice, isFirstReport } from '../resolve/report.ts';
import { createThread, type Thread } from '../resolve/thread.ts';
import { readLentEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import { fitRefusal } from '../status/refusals.ts';
import { isVerifiedAtLoad } from '../store/finder.ts';
import { createDriver } from './driver.ts';
import { verifyEntryScript } from './entry-script.ts';
import { createResolve } from './import.ts';
import { openOffThread } from './import-node20.ts';
import { createPostponer } from './postpone.ts';
import { createResolveFilename } from './require.ts';
import type { ResolveFilename } from './require-request.ts';
import { createInstall } from './run-installer.ts';
import { createShortcut } from './shortcut.ts';
import { watchCompile } from './verify-compile.ts';
import { createVerifier, type Verifier } from './verify-entry.ts';
import { createLoad } from './verify-load.ts';

export { exitInstaller } from './run-installer.ts';

/** What the first stage knows. */
export interface Start {
  /** The entry script. */
  script: string | undefined;
  /** The environment when the process started. */
  env: Variables;
  /** The application; undefined when it has to be searched for. */
  core: CoreManifest | undefined;
  /**
   * In a worker: those of the main thread, if it has shared them. Otherwise undefined until they are read, and
   * null when annex has nothing to do in this process.
   */
  settings: Settings | null | undefined;
  /** Resolves requests of require without annex. */
  nextResolveFilename: ResolveFilename;
}

/** The active hooks of a thread. */
export interface Hooks extends Pick<Verifier, 'verifyPath' | 'verifyURL'> {
  thread: Thread;
  /** Resolves a request of import. */
  resolve: ResolveHookSync;
  /** Resolves a request of require. */
  resolveFilename: ResolveFilename;
  /** @throws Node's not-found error, when the script is a link out of its entry */
  verifyEntryScript: (path: string) => void;
}

/**
 * Creates the hooks of a thread.
 *
 * @returns undefined when annex has nothing to do in this process
 * @throws faults in annex itself
 */
export function createHooks(start: Start): Hooks | undefined {
  const settings = readSettings(start);
  if (settings === null) return undefined;
  if (isFirstNotice(settings)) logNotices(settings);
  if (settings.declaration.byPackage.size === 0) return undefined;
  const hasHooks = Object.hasOwn(Module, 'registerHooks');
  const offThread = hasHooks ? undefined : openOffThread(settings);
  const thread = createThread(settings, offThread ? 'off-thread' : 'sync', {
    link: offThread?.link,
  });
  const locator = createLocator(thread);
  const install = createInstall(thread);
  const verifier = createVerifier(locator, install, (made) => watchLoads(locator, made));
  const driver = createDriver(locator, install, verifier);
  const shortcut = createShortcut(locator, verifier);
  offThread?.register();
  return {
    thread,
    resolve: createResolve(locator, driver, verifier, createPostponer(thread), shortcut),
    resolveFilename: createResolveFilename(driver, verifier, shortcut, start.nextResolveFilename),
    verifyPath: verifier.verifyPath,
    verifyURL: verifier.verifyURL,
    verifyEntryScript: (path) => verifyEntryScript(locator, verifier, path),
  };
}

/**
 * Shares the settings of the main thread with workers that it starts from now on. Any code in a worker can
 * read them: they contain no secret.
 */
export function shareSettings(start: Start): void {
  const settings = readSettings(start);
  const startEnv = { ...readLentEnv(), ...settings?.startEnv };
  setSharedSettings(settings && { ...settings, startEnv });
}

/** Reads the settings once. Logs the reason if they cannot be used. */
function readSettings(start: Start): Settings | null {
  if (start.settings !== undefined) return start.settings;
  const loaded = loadSettings({ ...start, cwd: readCwd(), self: HERE });
  start.settings = loaded.settings ?? null;
  if (loaded.settings === undefined) {
    const log = createLog(loaded.log);
    const { code } = loaded.refusal;
    log(loaded.isProblem ? 'error' : 'debug', composeNotice(loaded.refusal), {
      event: 'settings',
      code,
    });
  }
  return start.settings;
}

/** Logs each mistake in the settings. */
function logNotices(settings: Settings): void {
  const log = createLog(settings.log);
  for (const notice of settings.notices) {
    log('error', composeNotice(notice), { event: 'settings', code: notice.code });
  }
  for (const feature of settings.declaration.features.values()) {
    const { refusal } = feature;
    if (refusal === undefined || !isFirstReport(settings, feature)) continue;
    log('error', composeMessage(fitRefusal(refusal, settings), { feature: feature.name }), {
      event: 'settings',
      feature: feature.name,
      code: refusal.code,
    });
  }
}

/** Makes Node's loaders verify files of entries; returns a function that ensures they still do. */
function watchLoads(locator: Locator, verifier: Verifier): () => boolean {
  const { settings } = locator.thread;
  if (settings.verify !== 'load') return () => true;
  if (isVerifiedAtLoad(settings)) Module.registerHooks({ load: createLoad(locator, verifier) });
  return watchCompile(locator, verifier);
}
