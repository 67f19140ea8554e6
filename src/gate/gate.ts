/** The first stage of the loader. Every start loads it; the second stage follows with the first request that concerns annex. */
import { isBuiltin } from 'node:module';
import { readScript, resolveScript } from '../app/script.ts';
import { withBuiltins } from '../base/builtins.ts';
import { captureEnv, isInstaller } from '../base/environment.ts';
import { createLog } from '../base/log.ts';
import { isMainThread } from '../base/main-thread.ts';
import { hideAdditions } from '../base/object-prototype.ts';
import { readCwd } from '../base/paths.ts';
import { setHas } from '../base/primordials.ts';
import { messageOf } from '../base/thrown.ts';
import type { Hooks } from '../hooks/activate.ts';
import { clearActive, isActive, setActive } from '../resolve/active.ts';
import { createRecognizer } from '../resolve/recognize.ts';
import { type Declared, findDeclared, type SecondStage } from './declared.ts';
import { watchEntryScript } from './entry-script.ts';
import { isHooksThread, isPackageManager } from './inert.ts';
import { hasSyncHooks, intercept, nextResolveFilename } from './intercept.ts';

/**
 * Activates annex in this thread. The second call does nothing. After a fault in annex itself, which is logged,
 * the program runs without annex.
 *
 * The start reads no file: the application is searched for when a package is first requested by its name.
 *
 * @param load loads the second stage, synchronously
 * @throws Node's not-found error, when the entry script is a link out of its store entry
 */
export function openGate(load: () => SecondStage): void {
  let verifyEntryScript: (() => void) | undefined;
  try {
    if (isActive() || isHooksThread()) return;
    verifyEntryScript = activate(load);
  } catch (error) {
    reportOff(error);
  }
  verifyEntryScript?.();
}

const reportOff = (error: unknown): void =>
  createLog('error')('error', `annex: the loader is off: ${messageOf(error)}`, { event: 'loader' });

/** @returns verifies the entry script */
function activate(load: () => SecondStage): () => void {
  const origin = { script: readScript(), cwd: readCwd(), env: captureEnv(), nextResolveFilename };
  exitIfInstaller(origin.script, load);
  let declared: Declared | undefined;
  let hooks: Hooks | undefined;
  let isSearched = false;
  let isOpened = false;

  /** Searches for the application once. Without one, annex becomes inactive. */
  const search = (): Declared | undefined => {
    if (isSearched) return declared;
    isSearched = true;
    declared = guard(() => findDeclared(origin, load));
    if (declared === undefined) release();
    // Only the second stage can report an invalid package.json.
    else if (declared.isDoubtful) open();
    return declared;
  };
  /** Creates the hooks, once. */
  const open = (): Hooks | undefined => {
    const { start } = search() ?? {};
    if (isOpened || start === undefined) return hooks;
    // While the second stage is loaded, Node alone resolves what it requires.
    isOpened = true;
    hooks = guard(() => load().createHooks(start));
    if (hooks === undefined) release();
    // From now on, no hook sees a request for node:worker_threads.
    if (hooks === undefined || !hasSyncHooks) share();
    return hooks;
  };
  const share = (): void => {
    const { start } = search() ?? {};
    if (isMainThread && start !== undefined) guard(() => load().shareSettings(start));
  };
  const recognizer = createRecognizer(
    (name) => {
      const names = isSearched ? declared?.names : isBuiltin(name) ? undefined : search()?.names;
      return names !== undefined && setHas(names, name);
    },
    () => guard(() => search()?.listPrefixes()) ?? [],
  );
  const restore = intercept(recognizer, open, share);
  const release = (): void => {
    restore();
    clearActive();
  };
  try {
    setActive(() => open()?.thread);
  } catch (error) {
    restore();
    throw error;
  }
  if (!hasSyncHooks) open();
  return () =>
    watchEntryScript((path) => {
      if (recognizer.isInStore(path)) open()?.verifyEntryScript(path);
    });
}

/** Ends a process that annex started as an installer and that runs another program. */
function exitIfInstaller(script: string | undefined, load: () => SecondStage): void {
  if (!isMainThread || !isInstaller()) return;
  const path = resolveScript(script);
  if (path === undefined || !isPackageManager(path)) load().exitInstaller();
}

/** Calls a function of annex; logs a fault in it. */
function guard<T>(run: () => T): T | undefined {
  try {
    return hideAdditions(() => withBuiltins(run));
  } catch (error) {
    reportOff(error);
    return undefined;
  }
}
