/** Errors of the file system in a store or a layer, as a command reports them. */
import { AnnexError, toRefusal } from '../../base/error.ts';
import { refuseByFileError } from '../../base/file-error.ts';
import { toRealPath } from '../../base/paths.ts';
import { isWithin } from '../../base/store-layout.ts';
import type { Settings } from '../../settings/settings.ts';
import { listStores } from '../../store/access.ts';

/**
 * Calls a function that reads or changes stores.
 *
 * @returns what the function returned
 * @throws AnnexError, in place of an error of the file system: it names the store or the layer, and the remedy
 * @example inStores(settings, () => listStored(store))
 */
export function inStores<T>(settings: Settings, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw new AnnexError(
      toRefusal(error, () => refuseByFileError(error, nameStore(settings, error))),
    );
  }
}

/** The store or the layer that an error is about; the store if the error names no path. */
function nameStore(settings: Settings, error: unknown): string {
  const { path } = (error ?? {}) as NodeJS.ErrnoException;
  const isOf = (each: string): boolean =>
    path !== undefined && (isWithin(path, each) || isWithin(path, toRealPath(each)));
  return listStores(settings).find(isOf) ?? settings.store ?? '';
}
