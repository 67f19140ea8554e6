/** Verifies CommonJS of entries as Node compiles it: on every version of Node, however it was loaded. */
import { lstatSync } from 'node:fs';
import Module from 'node:module';
import { apply } from '../base/primordials.ts';
import { isNotFound } from '../base/thrown.ts';
import type { Locator } from '../resolve/locator.ts';
import type { Verifier } from './verify-entry.ts';

type Compile = (this: CjsModule, text: string, filename: string, format?: string) => unknown;

/** The parts of a module, and of `Module.prototype`, that Node hardly documents. */
interface CjsModule {
  filename?: string | null;
  _compile: Compile;
}

const { defineProperty, getOwnPropertyDescriptor } = Reflect;
const { hasOwn } = Object;
const prototype = Module.prototype as unknown as CjsModule;

/**
 * Replaces `Module.prototype._compile` by an accessor: every loader of CommonJS passes its text to that
 * function. Modules of entries and modules without a filename get the verifying function. All others get
 * Node's own, or the one that another tool assigned, so their stack traces have no frame of annex.
 *
 * A tool may also redefine the property, as shimmer does. The next call puts a new accessor on top.
 *
 * @returns puts the accessor in place; false when the program froze the property
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/modules/cjs/loader.js Module.prototype._compile
 */
export function watchCompile(locator: Locator, verifier: Verifier): () => boolean {
  let accessor: PropertyDescriptor | undefined;
  return () => {
    const present = getOwnPropertyDescriptor(prototype, '_compile');
    if (accessor !== undefined && present?.get === accessor.get) return true;
    accessor = createAccessor(present ?? describeValue(undefined), locator, verifier);
    return defineProperty(prototype, '_compile', accessor);
  };
}

/** @param original the property to cover: a value, or the accessor of another tool */
function createAccessor(
  original: PropertyDescriptor,
  { findEntryOf }: Locator,
  { isListed, verifyContent }: Verifier,
): PropertyDescriptor {
  let covered = original;
  const getCovered = (module: CjsModule): Compile =>
    hasOwn(covered, 'value') ? covered.value : covered.get && apply(covered.get, module, []);
  const isInEntry = (file: unknown): file is string =>
    typeof file === 'string' && findEntryOf(file) !== undefined;
  const compileVerified: Compile = function (text, filename, format) {
    const file = this.filename ?? filename;
    if (!isInEntry(file)) return apply(getCovered(this), this, [text, filename, format]);
    // A program may compile text of its own under a path that does not exist.
    const isOfFile = isLoading(this, file) || isListed(file) || isFile(file);
    const sound = isOfFile ? verifyContent(file, text)?.toString() : undefined;
    return apply(getCovered(this), this, [sound ?? text, filename, format]);
  };
  nameCompile(original.value);
  return {
    // A descriptor inherits the properties of Object.prototype.
    __proto__: null,
    configurable: true,
    enumerable: original.enumerable === true,
    get(this: CjsModule) {
      const { filename } = this;
      // A module without a filename gets one together with its text.
      const isVerified = filename == null ? this !== prototype : isInEntry(filename);
      return isVerified ? compileVerified : getCovered(this);
    },
    set(this: CjsModule, value: Compile) {
      if (!hasOwn(covered, 'value') && covered.set) apply(covered.set, this, [value]);
      else if (this === prototype) covered = describeValue(value);
      else defineProperty(this, '_compile', describeValue(value));
    },
  } as PropertyDescriptor;
}

/** Names Node's function: V8 shows its place as `Module._compile`, and does not find it behind an accessor. */
function nameCompile(compile: unknown): void {
  if (typeof compile !== 'function' || compile.name !== '') return;
  defineProperty(compile, 'name', { value: '_compile', configurable: true });
}

/** The descriptor of an assigned property. */
const describeValue = (value: Compile | undefined): PropertyDescriptor =>
  ({
    __proto__: null,
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  }) as PropertyDescriptor;

/** Whether Node is loading a module from its file: then the module is in Node's cache. */
const isLoading = (module: object, file: string): boolean =>
  (Module as unknown as { _cache: Record<string, object> })._cache[file] === module;

/** Whether a path exists and is not a directory; true when that cannot be determined. */
function isFile(path: string): boolean {
  try {
    return !lstatSync(path).isDirectory();
  } catch (error) {
    return !isNotFound(error);
  }
}
