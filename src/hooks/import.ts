/** import on Node with module.registerHooks (22.15 and later): a synchronous hook in this thread. */
import type { ResolveFnOutput, ResolveHookContext, ResolveHookSync } from 'node:module';
import { pathToFileURL } from 'node:url';
import { toFile } from '../resolve/destination.ts';
import type { Driver } from './driver.ts';
import { isForRequire, toParent, toText } from './hook-context.ts';
import type { Postponer } from './postpone.ts';
import type { Verifier } from './verify-entry.ts';

/**
 * Creates the hook for requests that concern annex. It leaves those of `require` to Module._resolveFilename
 * (see require.ts), because Node ignores a changed parentURL there.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-hooks-accepted-by-moduleregisterhooks
 */
export function createResolve(
  driver: Driver,
  { verifyURL, verifySpecifier }: Verifier,
  { postpone, find }: Postponer,
): ResolveHookSync {
  const resolve: ResolveHookSync = (specifier, context, nextResolve) => {
    const given = toText(context.parentURL);
    if (!driver.concerns(specifier, given, 'import')) return nextResolve(specifier, context);
    const conditions = [...context.conditions];
    if (isForRequire(conditions)) return nextResolve(specifier, context);
    const wait = find(given);
    const parentURL = wait === undefined ? given : wait.parentURL;
    const parent = toParent(parentURL);
    const soundSpecifier = verifySpecifier({ specifier, kind: 'import', parent: parentURL });
    const result = driver.resolve(
      { specifier: soundSpecifier, kind: 'import', parent, hasPaths: false },
      {
        variant: `${conditions.join()} ${JSON.stringify(context.importAttributes)}`,
        fileOf: ({ url }: ResolveFnOutput) => toFile(url),
        postpone: (lookup) =>
          postpone({ specifier, parentURL, attributes: context.importAttributes, lookup }),
        attempt: wait?.attempt,
        // nextResolve writes into the context that it gets.
        ask: ({ from, specifier: asked = soundSpecifier }) =>
          nextResolve(asked, {
            ...context,
            parentURL: from === undefined ? parentURL : pathToFileURL(from).href,
          } as ResolveHookContext),
      },
    );
    return { ...result, shortCircuit: true };
  };
  return (specifier, context, nextResolve) => {
    const { conditions } = context;
    const given = toText(context.parentURL);
    const parentURL = given && verifyURL(given, conditions);
    const sound = parentURL === given ? context : { ...context, parentURL };
    const result = resolve(specifier, sound as ResolveHookContext, nextResolve);
    const url = verifyURL(result.url, conditions, true);
    return url === result.url ? result : { ...result, url };
  };
}
