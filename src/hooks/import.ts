/** import on Node with module.registerHooks (22.15 and later): a synchronous hook in this thread. */
import type { ResolveFnOutput, ResolveHookContext, ResolveHookSync } from 'node:module';
import { pathToFileURL } from 'node:url';
import { startsWith } from '../base/primordials.ts';
import { MAX_REMEMBERED } from '../base/remember.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import { toFile } from '../resolve/destination.ts';
import { findSpecial } from '../resolve/gone.ts';
import type { Locator } from '../resolve/locator.ts';
import { unwrap } from '../resolve/request.ts';
import { isContained } from '../store/directory.ts';
import { isVerifiedAtLoad } from '../store/finder.ts';
import type { Driver } from './driver.ts';
import { createToCaller, isForRequire, listConditions, toParent, toText } from './hook-context.ts';
import type { Postponer } from './postpone.ts';
import { createAsk, type Shortcut } from './shortcut.ts';
import type { Verifier } from './verify-entry.ts';

/**
 * Creates the hook for requests that concern annex. It leaves those of `require` to Module._resolveFilename
 * (see require.ts), because Node ignores a changed parentURL there.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-hooks-accepted-by-moduleregisterhooks
 */
export function createResolve(
  { thread, isInStore, findEntryOf, findRealEntry }: Locator,
  driver: Driver,
  { isImported, verifyURL, verifySpecifier }: Verifier,
  { postpone, find }: Postponer,
  shortcut: Shortcut,
): ResolveHookSync {
  const resolve = (
    specifier: string,
    context: ResolveHookContext,
    nextResolve: Parameters<ResolveHookSync>[2],
    askAgain: () => ResolveFnOutput,
  ): ResolveFnOutput => {
    const given = toText(context.parentURL);
    if (!driver.concerns(specifier, given, 'import')) return nextResolve(specifier, context);
    if (isForRequire(context.conditions)) return nextResolve(specifier, context);
    const wait = find(given);
    const parentURL = wait === undefined ? given : wait.parentURL;
    const parent = toParent(parentURL);
    const soundSpecifier = verifySpecifier({ specifier, kind: 'import', parent: parentURL });
    const result = driver.resolve(
      { specifier: soundSpecifier, kind: 'import', parent, hasPaths: false },
      {
        fileOf: ({ url }: ResolveFnOutput) => toFile(url),
        postpone: (lookup) =>
          postpone({ specifier, parentURL, attributes: context.importAttributes, lookup }),
        attempt: wait?.attempt,
        // nextResolve writes into the context that it gets.
        ask: ({ from, specifier: asked = soundSpecifier }) => {
          if (from === undefined && asked === specifier && parentURL === given) return askAgain();
          const url = from === undefined ? parentURL : pathToFileURL(from).href;
          return nextResolve(asked, { ...context, parentURL: url } as ResolveHookContext);
        },
      },
    );
    return { ...result, shortCircuit: true };
  };
  /**
   * Verified answers from stores to requests of files outside of them, by the name of a package. As Node's own
   * answers, one belongs to the whole URL of its file: other hooks may answer by a query in it.
   */
  const answers = new Map<string, ResolveFnOutput>();
  const isWatched = isVerifiedAtLoad(thread.settings);
  /** Where loads are not watched, a path that was resolved may have become a link out of the entry. */
  const isCurrent = (url: string): boolean => {
    const file = toFile(url) ?? url;
    if (isWatched) return isImported(file);
    const entry = findEntryOf(file);
    if (entry === undefined || findSpecial(file) !== undefined) return false;
    return isContained(file, findRealEntry(entry));
  };
  const toCaller = createToCaller(thread);
  return (specifier, original, nextResolve) => {
    const parent = toCaller(original.parentURL);
    const context =
      parent === original.parentURL ? original : { ...original, parentURL: parent as string };
    const conditions = listConditions(context.conditions);
    const given = toText(context.parentURL);
    const isImport = !isForRequire(conditions);
    const isOfFile = given !== undefined && startsWith(given, 'file:') && !isInStore(given);
    const isKept = isOfFile && isImport;
    const key = isKept
      ? [given, specifier, conditions, JSON.stringify(context.importAttributes)].join('\0')
      : '';
    const known = answers.get(key);
    if (known !== undefined && isCurrent(known.url)) return { ...known };
    const short = isImport
      ? shortcut(
          { specifier, kind: 'import', parent: toFile(given) },
          { ask: () => nextResolve(specifier, context), fileOf: ({ url }) => toFile(url) },
        )
      : undefined;
    if (short?.isSound) return unwrap(short.outcome);
    const parentURL = given && verifyURL(given, conditions);
    const isSame = parentURL === given;
    const sound = (isSame ? context : { ...context, parentURL }) as ResolveHookContext;
    const ask = createAsk(isSame ? short : undefined, () => nextResolve(specifier, { ...sound }));
    const result = resolve(specifier, sound, nextResolve, ask);
    const url = verifyURL(result.url, conditions, true);
    const answer = url === result.url ? result : { ...result, url };
    const isPackage = parseBareSpecifier(specifier) !== undefined;
    if (isKept && isPackage && isInStore(url)) {
      // A query that differs at each reload of a file makes a new key.
      if (answers.size === MAX_REMEMBERED) answers.clear();
      answers.set(key, answer);
    }
    return answer;
  };
}
