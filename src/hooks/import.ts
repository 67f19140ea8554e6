/** import, on Node with module.registerHooks (22.15 and later): in this thread, synchronously. */
import Module, { type ResolveHookSync } from 'node:module';
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mayMeanStored, toFile } from '../resolve/destination.ts';
import type { Request } from '../resolve/request.ts';
import type { Driver } from './driver.ts';

/** The part of a guard that is needed here. */
interface Placer {
  placeURL: (url: string, conditions: Iterable<string>) => string;
  placeSpecifier: (request: Placed) => string;
}

/** An import that may lead into a store. */
type Placed = Pick<Request, 'specifier' | 'kind' | 'parent'>;

/**
 * Registers the hooks. What `require` asks goes on to Module._resolveFilename, where
 * require.ts answers it: changing parentURL has no effect on that path.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-hooks-accepted-by-moduleregisterhooks
 */
export function registerSync(driver: Driver, { placeURL, placeSpecifier }: Placer): void {
  const resolve: ResolveHookSync = (specifier, context, nextResolve) => {
    if (typeof specifier !== 'string') return nextResolve(specifier, context);
    // nextResolve writes into the context that it is given.
    const parentURL = toText(context.parentURL);
    if (!driver.concerns(specifier, parentURL, 'import')) return nextResolve(specifier, context);
    const conditions = [...context.conditions];
    if (isForRequire(conditions)) return nextResolve(specifier, context);
    const parent = toParent(parentURL);
    const attributes = JSON.stringify(context.importAttributes);
    const result = driver.resolve(
      { specifier, kind: 'import', parent, hasPaths: false },
      `${conditions.join()} ${attributes}`,
      ({ url }: { url: string }) => toFile(url),
      (from) =>
        nextResolve(specifier, {
          ...context,
          parentURL: from === undefined ? parentURL : pathToFileURL(from).href,
        } as typeof context),
    );
    return { ...result, shortCircuit: true };
  };
  const resolveInPlace: ResolveHookSync = (specifier, context, nextResolve) => {
    if (typeof specifier !== 'string') return nextResolve(specifier, context);
    const parentURL = toText(context.parentURL);
    const { conditions } = context;
    const from = parentURL && placeURL(parentURL, conditions);
    const moved =
      from === parentURL ? context : ({ ...context, parentURL: from } as typeof context);
    // What require asks for is placed in require.ts.
    const isImport = mayMeanStored(specifier) && !isForRequire([...conditions]);
    const asked = isImport
      ? placeSpecifier({ specifier, kind: 'import', parent: from })
      : specifier;
    const result = resolve(asked, moved, nextResolve);
    const url = placeURL(result.url, conditions);
    return url === result.url ? result : { ...result, url };
  };
  Module.registerHooks({ resolve: resolveInPlace });
}

/** The condition of the kind itself comes before those of `--conditions`, which may be the other one. */
export const isForRequire = (conditions: string[]): boolean =>
  conditions.find((condition) => condition === 'import' || condition === 'require') === 'require';

/** The parent of import.meta.resolve can be a URL object, and anything else is Node's to complain of. */
export const toText = (url: unknown): string | undefined =>
  typeof url === 'string' ? url : url instanceof URL ? url.href : undefined;

/**
 * The path of the file that asks. The command line (`--import`) asks in the name of the working
 * directory: a name in it stands for it, so that looking upwards begins there.
 */
export function toParent(url: string | undefined): string | undefined {
  const file = toFile(url);
  return file?.[file.length - 1] === sep ? `${file}[directory]` : file;
}
