/** The first stage of the loader. Every start loads it; the second stage follows with the first request that concerns annex. */
import { findEntryScript } from '../app/script.ts';
import { captureEnv, isInstaller } from '../base/environment.ts';
import { createLog } from '../base/log.ts';
import { isMainThread } from '../base/main-thread.ts';
import { hideAdditions } from '../base/object-prototype.ts';
import { HERE } from '../base/own-files.ts';
import { readCwd } from '../base/paths.ts';
import { setHas } from '../base/primordials.ts';
import { listPrefixes } from '../base/store-layout.ts';
import { messageOf } from '../base/thrown.ts';
import type { Hooks, Start } from '../hooks/activate.ts';
import { clearActive, getSharedSettings, isActive, setActive } from '../resolve/active.ts';
import { createRecognizer } from '../resolve/recognize.ts';
import { chooseStores, type Declared, findDeclared, listRoots } from './declared.ts';
import { watchEntryScript } from './entry-script.ts';
import { isHooksThread, isPackageManager } from './inert.ts';
import { hasSyncHooks, intercept, nextResolveFilename } from './intercept.ts';

/** The second stage. */
export type SecondStage = typeof import('../hooks/activate.ts');

/**
 * Activates annex in this thread. The second call does nothing. After a fault in annex itself, which is logged,
 * the program runs without annex.
 *
 * @param load loads the second stage, synchronously
 * @throws Node's not-found error, when the entry script is a link out of its store entry
 */
export function openGate(load: () => SecondStage): void {
  let verifyEntryScript: (() => void) | undefined;
  try {
    if (isActive() || isHooksThread()) return;
    const script = findEntryScript();
    if (script !== undefined && isPackageManager(script)) return;
    if (isMainThread && isInstaller()) load().exitInstaller();
    verifyEntryScript = activate(load, script);
  } catch (error) {
    reportOff(error);
  }
  verifyEntryScript?.();
}

const reportOff = (error: unknown): void =>
  createLog('error')('error', `annex: the loader is off: ${messageOf(error)}`);

/** @returns verifies the entry script; undefined when annex stays inactive */
function activate(load: () => SecondStage, script: string | undefined): (() => void) | undefined {
  const env = captureEnv();
  const settings = isMainThread ? undefined : getSharedSettings();
  if (settings === null) return undefined;
  const search = { explicit: env.ANNEX_CORE || undefined, script, cwd: readCwd(), self: HERE };
  const declared: Declared | undefined = settings
    ? { names: new Set(settings.declaration.byPackage.keys()) }
    : findDeclared(search);
  const core = declared?.core;
  const start: Start = { script, env, settings, core, nextResolveFilename };
  // Only the second stage can say why there is nothing to do.
  if (declared === undefined && env.ANNEX_LOG === 'debug') load().createHooks(start);
  if (declared === undefined) return undefined;
  const { open, share } = createSecondStage(load, start, () => close());
  const recognizer = createRecognizer(
    (name) => setHas(declared.names, name),
    () => listPrefixes(listRoots(settings ?? chooseStores(env, core))),
  );
  const release = intercept(recognizer, open, share);
  const close = (): void => {
    release();
    clearActive();
  };
  try {
    setActive(() => open()?.thread);
  } catch (error) {
    release();
    throw error;
  }
  // Where Node has no synchronous hooks, and where the first stage cannot tell what is declared.
  if (!hasSyncHooks || (core === undefined && settings === undefined)) open();
  return () =>
    watchEntryScript((path) => {
      if (recognizer.isInStore(path)) open()?.verifyEntryScript(path);
    });
}

function createSecondStage(load: () => SecondStage, start: Start, close: () => void) {
  let isOpened = false;
  let hooks: Hooks | undefined;
  const guard = <T>(run: () => T): T | undefined => {
    try {
      return hideAdditions(run);
    } catch (error) {
      reportOff(error);
      return undefined;
    }
  };
  const share = (): void => {
    if (isMainThread) guard(() => load().shareSettings(start));
  };
  return {
    open: (): Hooks | undefined => {
      if (isOpened) return hooks;
      // While the second stage is loaded, Node alone resolves what it requires.
      isOpened = true;
      hooks = guard(() => load().createHooks(start));
      if (hooks === undefined) close();
      // After this, nobody notices when the program is about to start workers.
      if (hooks === undefined || !hasSyncHooks) share();
      return hooks;
    },
    share,
  };
}
