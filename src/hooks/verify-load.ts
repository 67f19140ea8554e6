/** Verifies ES modules, JSON and WebAssembly of entries, and imported CommonJS, as Node loads them. */
import type { LoadFnOutput, LoadHookSync } from 'node:module';
import { compileFunction } from 'node:vm';
import { toFile } from '../resolve/destination.ts';
import type { Locator } from '../resolve/locator.ts';
import { unwrap } from '../resolve/request.ts';
import { toOutcome } from './driver.ts';
import { isForRequire } from './hook-context.ts';
import type { Verifier } from './verify-entry.ts';

/**
 * Makes the load hook. It returns what the next step returns. A source of its own would hide the entry
 * from other loaders; beside an asynchronous loader, Node would also run CommonJS that has a source with
 * a `require` that agents do not see and that fails for some files. Required CommonJS is left to
 * verify-compile.ts.
 *
 * A damaged file is loaded from a sound entry under its own URL, so that no module is loaded twice. Then
 * the next step is not called.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-version-of-loadurl-context-nextload
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/modules/esm/translators.js createCJSModuleWrap
 */
export function createLoad({ isInStore }: Locator, { verifyContent }: Verifier): LoadHookSync {
  return (url, context, nextLoad) => {
    const file = isInStore(url) ? toFile(url) : undefined;
    const { format } = context;
    if (file === undefined || format === 'addon') return nextLoad(url, context);
    const kind = isForRequire(context.conditions) ? 'require' : 'import';
    if (kind === 'require' && format !== 'json') return nextLoad(url, context);
    const mayBeScript = format === 'commonjs' || format == null;
    const before = mayBeScript ? verifyContent(file, undefined, kind) : undefined;
    if (before !== undefined) return loadBytes(before, format);
    const given = toOutcome(() => nextLoad(url, context));
    const content = Object.hasOwn(given, 'result') ? unwrap(given).source : undefined;
    const isReadLater = mayBeScript && content == null;
    const after = isReadLater ? undefined : verifyContent(file, content, kind);
    return after === undefined ? unwrap(given) : loadBytes(after, format);
  };
}

/** @param format undefined when Node has to detect it from the syntax */
const loadBytes = (source: Buffer, format: string | null | undefined): LoadFnOutput => ({
  format: format ?? detectFormat(source.toString()),
  source,
  shortCircuit: true,
});

/** @see https://nodejs.org/docs/latest-v24.x/api/packages.html#syntax-detection */
function detectFormat(text: string): 'commonjs' | 'module' {
  try {
    compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname']);
    return 'commonjs';
  } catch {
    return 'module';
  }
}
