/** Verifies CommonJS of entries where its text is about to run: on every version of Node, whichever way it was loaded. */
import { lstatSync } from 'node:fs';
import Module from 'node:module';
import { apply } from '../base/primordials.ts';
import { isNotFound } from '../base/thrown.ts';
import type { Locator } from '../resolve/locator.ts';
import type { Guard } from './guard.ts';

type Compile = (this: Loading, text: string, filename: string, format?: string) => unknown;

/** A module while it is loaded, and the prototype of all, of which Node documents little. */
interface Loading {
  filename?: string | null;
  _compile: Compile;
}

const { defineProperty, getOwnPropertyDescriptor } = Reflect;
const { hasOwn } = Object;
const prototype = Module.prototype as unknown as Loading;

/**
 * Replaces `Module.prototype._compile` by an accessor. It gives the verifying function to modules of entries and
 * to modules without a name. All other modules get Node's own function, or the one that a tool assigned, and no
 * frame of annex in their stack traces. The text is what Node read, or what another
 * tool made of it; compiling is the one step that all of it passes.
 *
 * A tool may also redefine the property, as shimmer does. The next call puts a new accessor on top.
 *
 * @returns ensures that the accessor is in place; false when the program froze the property
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/modules/cjs/loader.js Module.prototype._compile
 */
export function watchCompile(locator: Locator, guard: Guard): () => boolean {
  let accessor: PropertyDescriptor | undefined;
  return () => {
    const present = getOwnPropertyDescriptor(prototype, '_compile');
    if (accessor !== undefined && present?.get === accessor.get) return true;
    accessor = createAccessor(present ?? ordinary(undefined), locator, guard);
    return defineProperty(prototype, '_compile', accessor);
  };
}

/** @param beneath the property that the accessor covers: a value, or an accessor of another tool */
function createAccessor(
  beneath: PropertyDescriptor,
  { findEntryOf }: Locator,
  guard: Guard,
): PropertyDescriptor {
  let covered = beneath;
  const find = (module: Loading): Compile =>
    hasOwn(covered, 'value') ? covered.value : covered.get && apply(covered.get, module, []);
  const isInEntry = (file: unknown): file is string =>
    typeof file === 'string' && findEntryOf(file) !== undefined;
  const compileVerified: Compile = function (text, filename, format) {
    const file = this.filename ?? filename;
    if (!isInEntry(file)) return apply(find(this), this, [text, filename, format]);
    // Code may compile its own text under a path at which there is no file.
    const isOfFile = isLoaded(this, file) || guard.isListed(file) || isFile(file);
    const sound = isOfFile ? guard.verify(file, text)?.toString() : undefined;
    return apply(find(this), this, [sound ?? text, filename, format]);
  };
  return {
    // A property of Object.prototype must not count as one of the descriptor.
    __proto__: null,
    configurable: true,
    enumerable: beneath.enumerable === true,
    get(this: Loading) {
      const { filename } = this;
      // One that has no name yet gets it with the text.
      const isOurs = filename == null ? this !== prototype : isInEntry(filename);
      return isOurs ? compileVerified : find(this);
    },
    set(this: Loading, value: Compile) {
      if (!hasOwn(covered, 'value') && covered.set) apply(covered.set, this, [value]);
      else if (this === prototype) covered = ordinary(value);
      else defineProperty(this, '_compile', ordinary(value));
    },
  } as PropertyDescriptor;
}

/** What an assigned property is. */
const ordinary = (value: Compile | undefined): PropertyDescriptor =>
  ({
    __proto__: null,
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  }) as PropertyDescriptor;

/** Whether Node loads a module from its file: then it has put it into its cache. */
const isLoaded = (module: object, file: string): boolean =>
  (Module as unknown as { _cache: Record<string, object> })._cache[file] === module;

/** Whether something that can be read as a file has that path. */
function isFile(path: string): boolean {
  try {
    return !lstatSync(path).isDirectory();
  } catch (error) {
    return !isNotFound(error);
  }
}
