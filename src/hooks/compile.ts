/** Verifies CommonJS of entries where its text is about to run: on every version of Node, whichever way it was loaded. */
import Module from 'node:module';
import { apply } from '../primordials.ts';
import type { Guard } from './guard.ts';
import type { Locator } from './locator.ts';

type Compile = (this: Loading, text: string, filename: string, format?: string) => unknown;

/** A module while it is loaded, and the prototype of all, of which Node documents little. */
interface Loading {
  filename?: string | null;
  _compile: Compile;
}

/**
 * Replaces `Module.prototype._compile` by an accessor that gives the verifying function to modules of
 * entries alone: for all others what runs, and what a stack trace shows, is Node's own function, or
 * that of who patches it, before or later. The text is what Node read, or what another tool made of
 * it; compiling is the one step that all of it passes.
 *
 * @returns whether it could be replaced: not when the program froze it
 * @see https://github.com/nodejs/node/blob/v24.21.0/lib/internal/modules/cjs/loader.js Module.prototype._compile
 */
export function watchCompile({ findEntryOf }: Locator, guard: Guard): boolean {
  const prototype = Module.prototype as unknown as Loading;
  let compile = prototype._compile;
  const compileVerified: Compile = function (text, filename, format) {
    const file = this.filename ?? filename;
    // A module that some code makes of a text of its own is no file, whatever it is named.
    const isFile = isLoaded(this, file) || guard.isListed(file);
    const sound = isFile ? guard.verify(file, text)?.toString() : undefined;
    return apply(compile, this, [sound ?? text, filename, format]);
  };
  return defineProperty(prototype, '_compile', {
    configurable: true,
    enumerable: true,
    get(this: Loading) {
      const { filename } = this;
      const isInEntry = typeof filename === 'string' && findEntryOf(filename) !== undefined;
      return isInEntry ? compileVerified : compile;
    },
    set(this: Loading, value: Compile) {
      if (this === prototype) compile = value;
      else defineProperty(this, '_compile', { value, ...ORDINARY });
    },
  });
}

const { defineProperty } = Reflect;

/** What an assigned property is. */
const ORDINARY = { writable: true, enumerable: true, configurable: true };

/** Whether Node loads a module from its file: then it has put it into its cache. */
const isLoaded = (module: object, file: string): boolean =>
  (Module as unknown as { _cache: Record<string, object> })._cache[file] === module;
