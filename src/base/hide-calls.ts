/** Keeps annex out of the stacks of errors that pass through it. */
import Module from 'node:module';
import { apply, slice, startsWith, weakGet, weakSet } from './primordials.ts';
import { bare, type Call, type Calls, cutCalls, format, readCalls, rewrite } from './stack.ts';

const NodeError = Error;
const { captureStackTrace } = NodeError;
const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, isExtensible, set } = Reflect;

/** A function of annex that Node calls. */
type Hook = (...args: never[]) => unknown;

/** Node's function that annex replaces. */
const REPLACED = '_resolveFilename';
const internals = Module as unknown as Record<typeof REPLACED, unknown>;

/** At least the number of calls that are hidden. */
const MORE_CALLS = 8;

/** Before Node 22, V8 formats a stack when its property is looked at. */
const isFormattedByLook = startsWith(process.version, 'v20.');

/** The files of both stages. */
let firstFile: string | null | undefined;
let secondFile = '';

/** Names the file of the second stage: its calls are hidden too. */
export function hideFile(file: string): void {
  secondFile = file;
}

/**
 * Gives an error that a hook has caught, and its cause, the stack that it has without annex: without the
 * calls of annex, and without those that Node makes because annex has a hook. The calls that led to the hook
 * take their place. Nothing is formatted until the program reads the stack.
 *
 * @param _mark in the line that throws the error: Node prints no excerpt of a file for such a line
 * @returns the error, to be thrown again
 */
export function hideCalls(
  error: unknown,
  hook: Hook,
  _mark: 'node-do-not-add-exception-line',
): unknown {
  if (!(error instanceof NodeError)) return error;
  hide(error, hook);
  const cause: unknown = getOwnPropertyDescriptor(error, 'cause')?.value;
  if (cause instanceof NodeError) hide(cause, hook);
  return error;
}

/** An object that has a stack. */
interface Captured {
  stack?: unknown;
}

/** An error whose stack has not been formatted. */
interface Hidden {
  hook: Hook;
  /** The property that the accessor replaces. */
  stack: PropertyDescriptor;
  /** The calls, if looking at the property has formatted them. */
  calls: Calls | undefined;
  limit: number;
  led: Captured;
  /** What led to the next hook, when Error is frozen: then V8 keeps too few calls. */
  next: Captured | undefined;
  isShort: boolean;
  /** The stack once it is formatted, or as the program has set it. */
  settled: { value: unknown } | undefined;
}

const hidden = new WeakMap<object, Hidden>();

function hide(error: Error, hook: Hook): void {
  const known = weakGet(hidden, error);
  const { stackTraceLimit: limit } = NodeError;
  if (typeof limit !== 'number' || !isExtensible(error) || known?.isShort === false) return;
  const led: Captured = {};
  const isShort = !set(NodeError, 'stackTraceLimit', limit + MORE_CALLS);
  captureStackTrace(led, hook);
  set(NodeError, 'stackTraceLimit', limit);
  if (known !== undefined) {
    known.next = led;
    return;
  }
  const isRead = isFormattedByLook || hasRepl();
  let stack: PropertyDescriptor | undefined;
  const look = (): void => {
    stack = bare(getOwnPropertyDescriptor(error, 'stack') ?? {});
    if (isRead && stack.get) apply(stack.get, error, []);
  };
  const calls = isRead ? readCalls(look) : undefined;
  if (!isRead) look();
  if (stack?.configurable !== true) return;
  const rest = { next: undefined, settled: undefined };
  weakSet(hidden, error, { hook, stack, calls, limit, led, isShort, ...rest });
  defineProperty(error, 'stack', bare(lazy));
}

/** Whether node:repl is loaded. When it prints an error, Node no longer gives its calls to others. */
function hasRepl(): boolean {
  const { moduleLoadList: loaded = [] } = process as { moduleLoadList?: string[] };
  for (let at = loaded.length - 1; at >= 0; at--) if (loaded[at] === REPL) return true;
  return false;
}

const REPL = 'NativeModule repl';

/** Whether the REPL itself is reading a stack, and not what runs in it. */
function isReadByRepl(): boolean {
  const here: Captured = {};
  captureStackTrace(here, lazy.get);
  const callers = readCalls(() => here.stack) ?? [];
  const at = callers[0]?.getFileName() === 'node:internal/util' ? 1 : 0;
  return callers[at]?.getFileName() === 'node:repl';
}

/** The property `stack`. One accessor for all errors: another for each would cost V8 more than the stack does. */
const lazy: PropertyDescriptor & ThisType<object> = {
  configurable: true,
  enumerable: false,
  get() {
    const error = findError(this);
    return error && read(error);
  },
  set(value) {
    const error = findError(this);
    if (error) settle(error, value);
  },
};

/** The error among an object and its prototypes. */
function findError(object: object): Error | undefined {
  let owner: object | null = object;
  while (owner !== null && weakGet(hidden, owner) === undefined) owner = getPrototypeOf(owner);
  return (owner ?? undefined) as Error | undefined;
}

function read(error: Error): unknown {
  const state = weakGet(hidden, error) as Hidden;
  const { settled, stack } = state;
  if (settled !== undefined) return settled.value;
  const get = (): unknown => (stack.get ? apply(stack.get, error, []) : stack.value);
  const join = (calls: Calls): Calls => joinCalls(calls, state);
  const calls = state.calls ?? readCalls(get);
  if (calls !== undefined) {
    const joined = join(calls);
    const isCut = state.calls !== undefined && isReadByRepl();
    return settle(error, format(error, isCut ? cutCalls(joined) : joined));
  }
  const text = get();
  return settle(error, typeof text === 'string' ? rewrite(text, join) : text);
}

function settle(error: Error, value: unknown): unknown {
  const state = weakGet(hidden, error) as Hidden;
  state.settled = { value };
  // Not if the program has frozen the error.
  if (defineProperty(error, 'stack', bare({ ...state.stack }))) error.stack = value as string;
  return value;
}

function joinCalls(calls: Calls, { hook, led, limit, next }: Hidden): Calls {
  firstFile ??= readCalls(() => new NodeError().stack)?.[0]?.getFileName();
  const joined: Calls = [];
  for (let at = 0; at < calls.length; at++) {
    const file = calls[at]?.getFileName();
    if (file === firstFile || file === secondFile) break;
    joined[at] = calls[at] as Call;
  }
  // An error that the program made earlier.
  if (joined.length === calls.length && calls.length < limit) return calls;
  if (internals[REPLACED] === hook) nameCall(joined[joined.length - 1]);
  const isWhole = followAll(joined, led, next !== undefined);
  if (!isWhole && next !== undefined) followAll(joined, next, false);
  if (joined.length > calls.length) joined.length = calls.length;
  return joined;
}

/** Appends what led to a hook. Returns false at the call of the next hook, if it is to stop there. */
function followAll(calls: Calls, led: Captured, stops: boolean): boolean {
  const callers = readCalls(() => led.stack) ?? [];
  for (let at = 0; at < callers.length; at++) {
    const call = callers[at] as Call;
    const isHook = isNamed(calls[calls.length - 1], 'nextStep') && call.getFileName() === firstFile;
    if (isHook && stops) return false;
    if (!isHook) follow(calls, call);
  }
  return true;
}

/** Appends a call, unless Node makes it because annex has a hook. */
function follow(calls: Calls, call: Call): void {
  if (call.getFileName() === secondFile) return;
  const last = calls[calls.length - 1];
  const before = calls[calls.length - 2];
  if (isNamed(last, 'nextStep')) {
    if (isNamed(call, 'nextStep')) return;
    // Otherwise, the hook of another tool lies between.
    const isOfNode = startsWith(before?.getFileName() ?? 'node:', 'node:');
    if (isNamed(call, 'resolveWithHooks') && isOfNode) {
      const isOfRequire = before?.getFileName() === 'node:internal/modules/cjs/loader';
      calls.length -= isOfRequire && isNamed(before, 'defaultResolve') ? 2 : 1;
      return;
    }
  }
  // Node 22 has these two calls for import, if there is a hook.
  const isOf22 = isNamed(call, 'resolve') && call.getTypeName() === 'ModuleLoader';
  if (isOf22 && isNamed(before, '#resolveAndMaybeBlockOnLoaderThread')) calls.length -= 2;
  calls[calls.length] = call;
}

const isNamed = (call: Call | undefined, name: string): boolean => call?.getFunctionName() === name;

/** Names a call of the replaced function: V8 looks for the name where annex has put its own function. */
function nameCall(call: Call | undefined): void {
  const type = call?.getTypeName();
  const text = call?.toString() ?? '';
  const prefix = `${type}.<anonymous>`;
  if (call === undefined || type === 'Object' || !startsWith(text, prefix)) return;
  const named = `${type}.${REPLACED}${slice(text, prefix.length)}`;
  const getText = () => named;
  const getMethodName = () => REPLACED;
  defineProperty(call, 'toString', bare({ value: getText }));
  defineProperty(call, 'getMethodName', bare({ value: getMethodName }));
}
