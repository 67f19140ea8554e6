/** import on Node 20, which only has module.register: hooks in a thread of their own. To be deleted with support for Node 20. */
import { type ResolveFnOutput, type ResolveHook, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import { loadThreads } from '../base/main-thread.ts';
import { describeMissing, findOwnFile, OFF_THREAD } from '../base/own-files.ts';
import { readCwd } from '../base/paths.ts';
import { toFile } from '../resolve/destination.ts';
import { createLocator } from '../resolve/locator.ts';
import type { Install } from '../resolve/options.ts';
import { createReporter } from '../resolve/report.ts';
import { type ChoiceLink, createThread } from '../resolve/thread.ts';
import { adoptEnv, readInstallerEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import type { Entry } from '../store/entry.ts';
import { resolveAsync } from './driver.ts';
import { createToCaller, toParent, toText } from './hook-context.ts';
import { createInstall } from './run-installer.ts';
import { createVerifier } from './verify-entry.ts';

/** Passed to the hooks thread. */
interface Data {
  settings: Settings;
  /** For the choices of both threads. */
  port: MessagePort;
  /** For the environment of the main or worker thread, when an install needs it. */
  envPort: MessagePort;
  /** One number, set to 1 after that environment was sent. */
  isSent: Int32Array;
}

/** The hooks thread before it is started. */
export interface OffThread {
  /** Both threads report through it which entries they chose. */
  link: ChoiceLink;
  /** Starts it. */
  register: () => void;
}

/**
 * Prepares the hooks thread.
 *
 * @throws when the working directory was deleted, because Node 20 then waits forever for its hooks
 *   thread; and when the file of the hooks is missing: in a bundle, or in an incomplete copy
 * @see https://nodejs.org/docs/latest-v20.x/api/module.html#moduleregisterspecifier-parenturl-options
 */
export function openOffThread(settings: Settings): OffThread {
  if (readCwd() === undefined) {
    throw new Error('the working directory was deleted, and Node 20 cannot start its hooks thread');
  }
  const { root } = settings.core;
  const file = findOwnFile(OFF_THREAD, root);
  if (file === undefined) {
    const { reason, hint } = describeMissing(OFF_THREAD, root);
    throw new Error(`${reason}; ${hint}`);
  }
  const { MessageChannel } = loadThreads();
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const env = new MessageChannel();
  const isSent = new Int32Array(new SharedArrayBuffer(4));
  env.port1.on('message', () => {
    env.port1.postMessage(readInstallerEnv(settings));
    Atomics.store(isSent, 0, 1);
    Atomics.notify(isSent, 0);
  });
  env.port1.unref();
  const data: Data = { settings, port: port2, envPort: env.port2, isSent };
  return {
    link: createLink(port1),
    register: () => register(pathToFileURL(file), { data, transferList: [port2, env.port2] }),
  };
}

function createLink(port: MessagePort): ChoiceLink {
  const { receiveMessageOnPort } = loadThreads();
  return {
    receive: () => {
      const entries: Entry[] = [];
      for (;;) {
        const received = receiveMessageOnPort(port);
        if (received === undefined) return entries;
        entries.push(received.message as Entry);
      }
    },
    send: (entry) => port.postMessage(entry),
  };
}

/**
 * Milliseconds to wait for an environment. The other thread cannot answer while Node blocks it: during
 * import.meta.resolve, and while it resolves what a required ES module imports.
 */
const ENV_TIMEOUT = 1_000;

/**
 * Updates this thread's copy of the environment, which is from the start of this thread. Without an
 * answer the copy stays as it is.
 */
function refreshEnv({ envPort, isSent }: Data): void {
  Atomics.store(isSent, 0, 0);
  envPort.postMessage(null);
  Atomics.wait(isSent, 0, 0, ENV_TIMEOUT);
  const received = loadThreads().receiveMessageOnPort(envPort);
  if (received !== undefined) adoptEnv(received.message as Record<string, string>);
}

let hook: ResolveHook;

/** Called by Node in the hooks thread, before any request. */
export function initialize(data: Data): void {
  data.port.unref();
  data.envPort.unref();
  hook = createHook(data);
}

/** Called by Node in the hooks thread for every import. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  try {
    return await hook(specifier, context, nextResolve);
  } catch (error) {
    if (isFrozen) nameClasses(error);
    throw error;
  }
};

/** With --frozen-intrinsics a prototype has accessors instead of values. */
const isFrozen = Object.getOwnPropertyDescriptor(Error.prototype, 'constructor')?.get !== undefined;

/**
 * Gives an error and its causes a class that Node finds when it copies them to the other thread: Node
 * looks for values named `constructor`, and drops the code of an error without a class.
 *
 * @see https://github.com/nodejs/node/blob/v20.19.0/lib/internal/error_serdes.js GetConstructors
 */
function nameClasses(error: unknown): void {
  for (let each = error; each instanceof Error; each = each.cause) {
    Object.defineProperty(each, 'constructor', { value: Error, configurable: true });
  }
}

function createHook(data: Data): ResolveHook {
  const { settings, port } = data;
  const thread = createThread(settings, 'off-thread', { link: createLink(port) });
  const locator = createLocator(thread);
  const installHere = createInstall(thread);
  const install: Install = (lookup) => {
    refreshEnv(data);
    return installHere(lookup);
  };
  const report = createReporter(settings);
  const fileOf = ({ url }: ResolveFnOutput): string | undefined => toFile(url);
  // The thread that runs the files watches their loads.
  const verifier = createVerifier(locator, install, () => () => true);
  const { verifyURL, verifySpecifier } = verifier;
  const resolveUnverified: ResolveHook = async (specifier, context, nextResolve) => {
    const parentURL = toText(context.parentURL);
    if (!locator.concerns(specifier, parentURL, 'import')) return nextResolve(specifier, context);
    const parent = toParent(parentURL);
    const soundSpecifier = verifySpecifier({ specifier, kind: 'import', parent: parentURL });
    const result = await resolveAsync<ResolveFnOutput>(
      { specifier: soundSpecifier, kind: 'import', parent, hasPaths: false },
      { locator, install, report, fileOf, verifier },
      async ({ from, specifier: asked = soundSpecifier }) => {
        const url = from === undefined ? parentURL : pathToFileURL(from).href;
        return nextResolve(asked, { ...context, parentURL: url });
      },
    );
    return { ...result, shortCircuit: true };
  };
  const toCaller = createToCaller(thread);
  return async (specifier, context, nextResolve) => {
    if (typeof specifier !== 'string') return nextResolve(specifier, context);
    const given = toText(toCaller(context.parentURL));
    const { conditions } = context;
    const parentURL = given === undefined ? context.parentURL : verifyURL(given, conditions);
    const result = await resolveUnverified(specifier, { ...context, parentURL }, nextResolve);
    return { ...result, url: verifyURL(result.url, conditions, true) };
  };
}
