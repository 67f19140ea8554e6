/** Tells a call of import() from every other request that reaches the resolve hook, by the calls that led there. */
import type { CallSiteObject } from 'node:util';
import { stackOf } from '../base/thrown.ts';

type Call = Pick<CallSiteObject, 'functionName' | 'scriptName'>;

/** Node's function that V8 calls for each import(). */
const ENTRY = 'importModuleDynamicallyCallback';
const ENTRY_SCRIPT = 'node:internal/modules/esm/utils';

/** Node's function that calls the resolve hooks for one request. */
const CHAIN = 'resolveWithHooks';

/** The scripts of Node between import() and the hooks. Others are on the way of a static import or import.meta.resolve. */
const PASSED = new Set([
  ENTRY_SCRIPT,
  'node:diagnostics_channel',
  'node:internal/async_local_storage/async_context_frame',
  'node:internal/async_local_storage/async_hooks',
  'node:internal/modules/customization_hooks',
  'node:internal/modules/esm/loader',
  'node:internal/process/execution',
  'node:internal/vm/module',
  'node:repl',
]);

/** The number of innermost calls that are read. Other tools can add their hooks to those of Node. */
const DEPTH = 100;

/** Whether the resolve hook that is running serves a call of import(). False for calls that this version does not know. */
export function isImportCall(): boolean {
  const { getCallSites } = process.getBuiltinModule('node:util');
  return isFromImportCall(getCallSites(DEPTH, { sourceMap: false }));
}

/**
 * Whether calls, the innermost first, lead from import() to a resolve hook. Node resolves the static imports of
 * an imported file within the same call: then calls of the linker lie between.
 *
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/modules/esm/loader.js import
 */
export function isFromImportCall(calls: readonly Call[]): boolean {
  let chains = 0;
  for (const { functionName, scriptName } of calls) {
    if (functionName === ENTRY && scriptName === ENTRY_SCRIPT) return chains === 1;
    if (scriptName.startsWith('node:') && !PASSED.has(scriptName)) return false;
    if (functionName === CHAIN) chains += 1;
  }
  return false;
}

/** The line of a stack at which Node's part ends and the caller of import() begins. */
const BORDER = new RegExp(`^ +at ${ENTRY} \\(.*\\)\n`, 'm');

/** The lines of a stack above and below the caller of import(); undefined for a stack of another form. */
function splitStack(stack: string | undefined): { above: string; below: string } | undefined {
  const border = stack === undefined ? null : BORDER.exec(stack);
  if (stack === undefined || border === null) return undefined;
  const end = border.index + border[0].length;
  return { above: stack.slice(0, end), below: stack.slice(end) };
}

/** The lines of the current stack from the caller of import() on; undefined when the program changes the form of stacks. */
export function readCaller(): string | undefined {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', Number.POSITIVE_INFINITY);
  const stack = stackOf(new Error());
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return splitStack(stack)?.below;
}

/** Puts the caller of the first import() into the stack of an error that a repeated one threw. */
export function restoreCaller(error: unknown, caller: string): void {
  if (!(error instanceof Error)) return;
  const parts = splitStack(stackOf(error));
  if (parts === undefined) return;
  const room = Error.stackTraceLimit - (parts.above.match(/^ +at /gm)?.length ?? 0);
  const lines = caller.split('\n').slice(0, Math.max(0, room));
  const value = [parts.above.trimEnd(), ...lines].join('\n');
  Reflect.defineProperty(error, 'stack', { value, configurable: true, writable: true });
}
