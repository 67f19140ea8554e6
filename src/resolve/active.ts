/** The state of annex in this thread, for all its copies, and the settings that workers inherit. */
import { loadThreads } from '../base/main-thread.ts';
import { version } from '../base/own-files.ts';
import type { Settings } from '../settings/settings.ts';
import type { Thread } from './thread.ts';

/** Keyed by version: another version of annex in the process keeps another shape. */
export const KEY: unique symbol = Symbol.for(`annex.thread@${version}`);
type Holder = { [KEY]?: Thread };

/** Whether annex is active in this thread. Unlike `getActiveThread`, this loads nothing. */
export const isActive = (): boolean => Object.hasOwn(globalThis, KEY);

/** The state of this thread, if the loader is active in it; shared by all copies of this version. */
export const getActiveThread = (): Thread | undefined => (globalThis as Holder)[KEY];

/**
 * Makes annex active in this thread.
 *
 * @param get called each time a copy of annex needs the state
 * @throws when globalThis cannot be extended
 */
export function setActive(get: () => Thread | undefined): void {
  Object.defineProperty(globalThis, KEY, { get, configurable: true });
}

/** Makes annex inactive: the hooks could not be registered. */
export function clearActive(): void {
  Reflect.deleteProperty(globalThis, KEY);
}

const SHARED = `annex.settings@${version}`;

/**
 * The settings that the main thread shares with its workers, whose `env` cannot lift the seal. Null when the
 * loader is off in the main thread, which has reported that.
 */
export function getSharedSettings(): Settings | null | undefined {
  return loadThreads().getEnvironmentData(SHARED) as unknown as Settings | null | undefined;
}

/** Sets what `getSharedSettings` returns in workers that this thread starts from now on. */
export function setSharedSettings(settings: Settings | null): void {
  loadThreads().setEnvironmentData(SHARED, settings as never);
}
