/** Lets import() wait for the install of a feature, while the event loop goes on. */
import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import type { Lookup } from '../app/lookup.ts';
import type { AnnexError } from '../base/error.ts';
import { readText } from '../base/files.ts';
import { apply } from '../base/primordials.ts';
import { KEY } from '../resolve/active.ts';
import { toFile } from '../resolve/destination.ts';
import type { Attempt } from '../resolve/options.ts';
import { rememberInThread, type Thread } from '../resolve/thread.ts';
import { isImportCall, readCaller, restoreCaller } from './import-call.ts';
import { installOnce } from './run-installer.ts';

/** A call of import() that waits for an install. Later calls from the same place use the same one. */
export interface Wait {
  specifier: string;
  /** The URL of the file that called import(). */
  parentURL: string | undefined;
  attributes: ImportAttributes;
  lookup: Lookup;
  /** The stack of the call, from the caller on. */
  caller: string | undefined;
  /** The install that ended last. */
  attempt?: Attempt;
}

type ImportAttributes = ResolveHookContext['importAttributes'];

/** Makes calls of import() in one thread wait. */
export interface Postponer {
  /**
   * Answers a request by a module that stands in for the feature: import() resolves to what the feature exports
   * once it is installed. Undefined unless the request is a call of import().
   */
  postpone: (
    wait: Pick<Wait, 'specifier' | 'parentURL' | 'attributes' | 'lookup'>,
  ) => ResolveFnOutput | undefined;
  /** The call of import() that a stand-in repeats; undefined for requests of all other modules. */
  find: (parentURL: string | undefined) => Wait | undefined;
}

/** import() of a stand-in, in its own text: there `undefined` stands for no options. */
type Repeat = (specifier: string, options?: { with: ImportAttributes }) => Promise<unknown>;

/**
 * The URL of a stand-in, up to its number. A module that exports a function named `then` is a thenable: the
 * promise of import() calls it, and takes the value that it gets. So the stand-in itself is never seen.
 */
const PREFIX = `data:text/javascript,export function then(resolve,reject){globalThis[Symbol.for("${Symbol.keyFor(KEY)}")].resume(`;

/** What follows the number. Another tool can append a query to the URL: it is a comment. */
const SUFFIX = ',(name,options)=>import(name,options),resolve,reject)}//';

const { then } = Promise.prototype;

/** Creates the postponer of a thread. */
export function createPostponer(thread: Thread): Postponer {
  const waits: Wait[] = [];
  const ids = new Map<string, number>();
  const running = new Map<string, Promise<Attempt>>();

  /** Installs a feature once for all calls that wait for it, and never rejects. */
  const install = (lookup: Lookup) => {
    const { name } = lookup.feature;
    const install = running.get(name) ?? attemptInstall(thread, lookup);
    if (!running.has(name)) {
      running.set(name, install);
      void apply(then, install, [() => running.delete(name)]);
    }
    return install;
  };

  thread.resume = (
    id: number,
    repeat: Repeat,
    resolve: (namespace: unknown) => void,
    reject: (error: unknown) => void,
  ): void => {
    const wait = waits[id] as Wait;
    const { specifier, attributes } = wait;
    const retry = (attempt: Attempt): void => {
      wait.attempt = attempt;
      const options = Object.keys(attributes).length === 0 ? undefined : { with: attributes };
      // The functions of Node's own promise: a stack leads from them to the caller.
      apply(then, repeat(specifier, options), [
        resolve,
        (error: unknown) => {
          if (wait.caller !== undefined) restoreCaller(error, wait.caller);
          reject(error);
        },
      ]);
    };
    apply(then, install(wait.lookup), [retry]);
  };

  return {
    postpone: ({ specifier, parentURL, attributes, lookup }) => {
      if (!isImportCall() || mayNamePhase(parentURL)) return undefined;
      const caller = readCaller();
      const key = JSON.stringify([specifier, parentURL, attributes, caller]);
      const id = ids.get(key) ?? waits.length;
      ids.set(key, id);
      waits[id] = { specifier, parentURL, attributes: { ...attributes }, lookup, caller };
      const url = PREFIX + id + SUFFIX;
      return { url, format: 'module', importAttributes: {}, shortCircuit: true };
    },
    find: (parentURL) => {
      if (!parentURL?.startsWith(PREFIX)) return undefined;
      return waits[Number.parseInt(parentURL.slice(PREFIX.length), 10)];
    },
  };
}

/** Installs a feature without blocking. */
async function attemptInstall(thread: Thread, lookup: Lookup): Promise<Attempt> {
  const { settings, installs } = thread;
  try {
    await installOnce(installs, settings, lookup.feature.name, false);
    return { refusal: undefined, isReported: false };
  } catch (error) {
    const refusal = rememberInThread(thread, lookup, (error as AnnexError).refusal);
    return { refusal, isReported: false };
  }
}

/** Bytes of a file that is searched. */
const MAX_TEXT = 2 ** 24;

const PHASE = /\bimport\s*\.\s*(?:source|defer)\b/;

/**
 * Whether a file, or the code of --eval or --print, may call import.source() or import.defer(), whose results are no
 * thenables. A request does not tell.
 */
function mayNamePhase(url: string | undefined): boolean {
  if (process.execArgv.some((text) => PHASE.test(text))) return true;
  const file = toFile(url);
  try {
    return file !== undefined && PHASE.test(readText(file, MAX_TEXT, 'follow'));
  } catch {
    return false;
  }
}
