/** Reads stacks as lists of calls, and formats such lists. */
import { exec, indexOf, slice } from './primordials.ts';

const NodeError = Error;
const { prepareStackTrace: formatAsNode } = NodeError;
const { defineProperty, getOwnPropertyDescriptor } = Reflect;

/** One call of a stack. */
export type Call = NodeJS.CallSite;

/** The calls of a stack, innermost first. */
export type Calls = Call[];

/** A descriptor without the properties of Object.prototype. */
export const bare = (descriptor: PropertyDescriptor): PropertyDescriptor =>
  ({ __proto__: null, ...descriptor }) as PropertyDescriptor;

/**
 * Reads a stack as its calls, whatever the program makes of them.
 *
 * @returns undefined when it has been formatted before
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/errors.js prepareStackTraceCallback
 */
export function readCalls(read: () => unknown): Calls | undefined {
  let calls: Calls | undefined;
  const prepareStackTrace = (_: Error, given: Calls): void => {
    calls = given;
  };
  const present = getOwnPropertyDescriptor(globalThis, 'Error');
  if (present?.configurable !== true) return undefined;
  // Error itself can be frozen.
  defineProperty(globalThis, 'Error', bare({ configurable: true, value: { prepareStackTrace } }));
  try {
    read();
  } finally {
    defineProperty(globalThis, 'Error', bare(present));
  }
  return calls;
}

/**
 * Removes the last call of a function without a name, and all below it, as the REPL does.
 *
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/repl.js overrideStackTrace
 */
export function cutCalls(calls: Calls): Calls {
  let end = calls.length - 1;
  for (let at = end; at >= 0; at--) {
    if (calls[at]?.getFunctionName() !== null) continue;
    end = at;
    break;
  }
  calls.length = end < 0 ? 0 : end;
  return calls;
}

/** Formats a stack as Node does. */
export function format(error: Error, calls: Calls): unknown {
  const { Error: present } = globalThis;
  const owner = typeof present?.prepareStackTrace === 'function' ? present : NodeError;
  return typeof owner.prepareStackTrace === 'function'
    ? owner.prepareStackTrace(error, calls)
    : formatAsNode?.(error, calls);
}

const SEPARATOR = '\n    at ';
const CALL = /^(?:(?:(.*)\.)?([^. ]*)(?: \[as .*\])? \()?(.*):\d+:\d+\)?$/;

/** Changes the calls of a formatted stack: Node formats some itself, to add a hint. */
export function rewrite(stack: string, change: (calls: Calls) => Calls): string {
  const calls: Calls = [];
  const start = indexOf(stack, SEPARATOR);
  for (let at = start; at !== -1; ) {
    const from = at + SEPARATOR.length;
    at = indexOf(stack, SEPARATOR, from);
    calls[calls.length] = parseCall(slice(stack, from, at === -1 ? stack.length : at));
  }
  if (start === -1) return stack;
  const changed = change(calls);
  let text = slice(stack, 0, start);
  for (let at = 0; at < changed.length; at++) text += SEPARATOR + changed[at];
  return text;
}

/** The parts of a call that can be read from its text. */
function parseCall(text: string): Call {
  const parts = exec(CALL, text);
  return {
    getTypeName: () => parts?.[1] ?? null,
    getFunctionName: () => parts?.[2] ?? null,
    getFileName: () => parts?.[3] ?? null,
    toString: () => text,
  } as Call;
}
