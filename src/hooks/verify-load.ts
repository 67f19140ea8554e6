/** Verifies ES modules, JSON and WebAssembly of entries as Node loads them, and CommonJS that is imported. */
import type { LoadFnOutput, LoadHookSync } from 'node:module';
import { compileFunction } from 'node:vm';
import { toFile } from '../resolve/destination.ts';
import { unwrap } from '../resolve/request.ts';
import { attempt } from './driver.ts';
import type { Guard } from './guard.ts';
import { isForRequire } from './import.ts';

/**
 * Makes the load hook. It compares what the other steps give and passes it on as it is: a source of
 * its own would hide an entry from other loaders, and when an asynchronous one was asked as well, Node
 * runs CommonJS that has a source with a `require` that no agent sees, and that fails for some files.
 * CommonJS that is required is left to compile.ts.
 *
 * A damaged file is loaded from a sound generation of its entry under its own URL, so that no module
 * is loaded twice. Nobody else is asked for it then.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/module.html#synchronous-version-of-loadurl-context-nextload
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/modules/esm/translators.js createCJSModuleWrap
 */
export function createLoad(guard: Guard): LoadHookSync {
  return (url, context, nextLoad) => {
    const file = guard.covers(url) ? toFile(url) : undefined;
    const { format } = context;
    if (file === undefined || format === 'addon') return nextLoad(url, context);
    const kind = isForRequire([...context.conditions]) ? 'require' : 'import';
    if (kind === 'require' && format !== 'json') return nextLoad(url, context);
    const mayBeScript = format === 'commonjs' || format == null;
    const before = mayBeScript ? guard.verify(file, undefined, kind) : undefined;
    if (before !== undefined) return giveSound(before, format);
    const given = attempt(() => nextLoad(url, context));
    const content = Object.hasOwn(given, 'result') ? unwrap(given).source : undefined;
    const isReadLater = mayBeScript && content == null;
    const after = isReadLater ? undefined : guard.verify(file, content, kind);
    return after === undefined ? unwrap(given) : giveSound(after, format);
  };
}

/** @param format undefined when only the syntax tells it */
const giveSound = (source: Buffer, format: string | null | undefined): LoadFnOutput => ({
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
