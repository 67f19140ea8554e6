/** import, on Node 20, which has only module.register: hooks in a thread of their own. Goes with Node 20. */
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { createLog } from '../log.ts';
import { OFF_THREAD } from '../paths.ts';
import { type ChoiceLink, createThread, type Thread } from '../thread.ts';
import type { Entry, Settings } from '../types.ts';
import { createInstall, describeFault } from './drive.ts';
import { createLocator } from './locator.ts';
import { type Outcome, type Question, resolveRequest, unwrap } from './resolve.ts';
import { toFile, toParent } from './sync.ts';

interface Data {
  settings: Settings;
  port: MessagePort;
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

/**
 * Starts the hooks thread.
 *
 * @returns the link by which both threads tell each other which entry they chose
 * @see https://nodejs.org/docs/latest-v20.x/api/module.html#moduleregisterspecifier-parenturl-options
 */
export function registerOffThread(settings: Settings): ChoiceLink {
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const data: Data = { settings, port: port2 };
  register(pathToFileURL(OFF_THREAD), { data, transferList: [port2] });
  return linkTo(port1);
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
export function initialize({ settings, port }: Data): void {
  port.unref();
  hook = createHook(createThread(settings, 'off-thread', linkTo(port)));
}

/** Called by Node in the hooks thread, for every import. */
export function resolve(
  specifier: string,
  context: Context,
  nextResolve: NextResolve,
): Promise<Resolved> {
  return hook === undefined
    ? nextResolve(specifier, context)
    : hook(specifier, context, nextResolve);
}

function createHook(state: Thread) {
  const locator = createLocator(state);
  const install = createInstall(state);
  const log = createLog(state.settings.log);
  return async (
    specifier: string,
    context: Context,
    nextResolve: NextResolve,
  ): Promise<Resolved> => {
    const { parentURL } = context;
    const parent = toParent(parentURL);
    if (!locator.concerns(specifier, parent)) return nextResolve(specifier, context);
    const body = resolveRequest<Resolved>(
      { specifier, kind: 'import', parent, hasPaths: false },
      { locator, install, fileOf: ({ url }) => toFile(url) },
    );
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
      log('error', describeFault(specifier, fault));
      outcome = await ask(undefined);
    }
    return { ...unwrap(outcome), shortCircuit: true } as Resolved;
  };
}
