/** import, on Node 20, which has only module.register: hooks in a thread of their own. Goes with Node 20. */
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { readCwd } from '../app/core.ts';
import { describeMissing, findOwnFile, OFF_THREAD } from '../base/own-files.ts';
import { toFile } from '../resolve/destination.ts';
import { createLocator } from '../resolve/locator.ts';
import { type Outcome, type Question, type Request, unwrap } from '../resolve/request.ts';
import { resolveRequest, type Surroundings } from '../resolve/resolve.ts';
import { createTell } from '../resolve/tell.ts';
import { type ChoiceLink, createThread, type Thread } from '../resolve/thread.ts';
import { adoptEnv, readInstallerEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import type { Entry } from '../store/entry.ts';
import { createInstall, settleFault } from './driver.ts';
import { createGuard } from './guard.ts';
import { toParent, toText } from './import.ts';

interface Data {
  settings: Settings;
  /** For the choices of both threads. */
  port: MessagePort;
  /** For the environment of the thread that the hooks serve, when an install needs it. */
  envPort: MessagePort;
  /** One number, set to 1 when that environment was sent. */
  isSent: Int32Array;
}

interface Context {
  parentURL: string | undefined;
  conditions: string[];
  importAttributes: Record<string, string>;
}

interface Resolved {
  url: string;
  format?: string;
}

type NextResolve = (specifier: string, context: Context) => Promise<Resolved>;

/** The hooks thread, before it is started. */
export interface OffThread {
  /** Through it, both threads report which entry they chose. */
  link: ChoiceLink;
  /** Starts it. */
  register: () => void;
}

/**
 * Prepares the hooks thread.
 *
 * @throws when the working directory was deleted: Node 20 then waits for ever for its hooks thread;
 *   and when annex is part of a bundle or not complete, and the file of the hooks is nowhere
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
    link: linkTo(port1),
    register: () => register(pathToFileURL(file), { data, transferList: [port2, env.port2] }),
  };
}

/**
 * Milliseconds to wait for an environment. Node blocks the other thread while it resolves for
 * import.meta.resolve, or for what a required ES module imports: that thread cannot answer.
 */
const PATIENCE = 1_000;

/**
 * Takes over the environment of the thread that the hooks serve: this one's own copy is of the time at
 * which it was started. Without an answer that copy counts.
 */
function refreshEnv({ envPort, isSent }: Data): void {
  Atomics.store(isSent, 0, 0);
  envPort.postMessage(null);
  Atomics.wait(isSent, 0, 0, PATIENCE);
  const received = receiveMessageOnPort(envPort);
  if (received !== undefined) adoptEnv(received.message as Record<string, string>);
}

function linkTo(port: MessagePort): ChoiceLink {
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

let hook: ReturnType<typeof createHook> | undefined;

/** Called by Node in the hooks thread. */
export function initialize(data: Data): void {
  const { settings, port, envPort } = data;
  port.unref();
  envPort.unref();
  const thread = createThread(settings, 'off-thread', linkTo(port));
  const install = createInstall(thread);
  hook = createHook(thread, (feature) => {
    refreshEnv(data);
    return install(feature);
  });
}

/** Called by Node in the hooks thread, for every import. */
export function resolve(
  specifier: string,
  context: Context,
  nextResolve: NextResolve,
): Promise<Resolved> {
  const answer =
    hook === undefined ? nextResolve(specifier, context) : hook(specifier, context, nextResolve);
  return isFrozen ? answer.catch(rethrowNamed) : answer;
}

/** With --frozen-intrinsics a prototype has accessors instead of values. */
const isFrozen = Object.getOwnPropertyDescriptor(Error.prototype, 'constructor')?.get !== undefined;

/**
 * Node finds the class of an error by values named `constructor`, and hands over an error without a class
 * without its code.
 *
 * @see https://github.com/nodejs/node/blob/v20.19.0/lib/internal/error_serdes.js GetConstructors
 */
function rethrowNamed(error: unknown): never {
  for (let each = error; each instanceof Error; each = each.cause) {
    Object.defineProperty(each, 'constructor', { value: Error, configurable: true });
  }
  throw error;
}

type Hook = typeof resolve;

function createHook(state: Thread, install: Surroundings<never>['install']): Hook {
  const locator = createLocator(state);
  const tell = createTell(state.settings);
  const resolve: Hook = async (specifier, context, nextResolve) => {
    const parentURL = toText(context.parentURL);
    if (typeof specifier !== 'string') return nextResolve(specifier, context);
    if (!locator.concerns(specifier, parentURL, 'import')) return nextResolve(specifier, context);
    const parent = toParent(parentURL);
    const request: Request = { specifier, kind: 'import', parent, hasPaths: false };
    const fileOf = ({ url }: Resolved): string | undefined => toFile(url);
    const body = resolveRequest<Resolved>(request, { locator, install, tell, fileOf });
    const ask = (from: Question): Promise<Outcome<Resolved>> => {
      const url = from === undefined ? parentURL : pathToFileURL(from).href;
      return nextResolve(specifier, { ...context, parentURL: url }).then(
        (result) => ({ result }),
        (error: unknown) => ({ error }),
      );
    };
    let outcome: Outcome<Resolved>;
    try {
      let step = body.next();
      while (step.done !== true) step = body.next(await ask(step.value));
      outcome = step.value;
    } catch (fault) {
      outcome = settleFault(request, locator, fault) ?? (await ask(undefined));
    }
    return { ...unwrap(outcome), shortCircuit: true } as Resolved;
  };
  // What is loaded is watched in the thread that runs it.
  const { placeURL, placeSpecifier } = createGuard(locator, install, () => () => true);
  return async (specifier, context, nextResolve) => {
    if (typeof specifier !== 'string') return nextResolve(specifier, context);
    const given = toText(context.parentURL);
    const { conditions } = context;
    const parentURL = given === undefined ? context.parentURL : placeURL(given, conditions);
    const asked = placeSpecifier({ specifier, kind: 'import', parent: parentURL });
    const result = await resolve(asked, { ...context, parentURL }, nextResolve);
    return { ...result, url: placeURL(result.url, conditions) };
  };
}
