/** Verifies the entries that a thread loads files from: an entry when it is first used, a file each time it is loaded. */
import Module from 'node:module';
import { traceSync, verifications } from '../base/channels.ts';
import { hideAdditions } from '../base/object-prototype.ts';
import { toListedPath } from '../base/store-layout.ts';
import { toFile } from '../resolve/destination.ts';
import { findGone, isReachable } from '../resolve/gone.ts';
import type { Locator } from '../resolve/locator.ts';
import type { Install } from '../resolve/options.ts';
import type { Request } from '../resolve/request.ts';
import { hasPreservedLinks } from '../settings/environment.ts';
import { isSealedFile } from '../store/sealed.ts';
import type { Refusal } from '../types.ts';
import { type Content, hasDigest, readSound } from './content.ts';
import { createDamage, type Load } from './damage.ts';
import { isForRequire } from './hook-context.ts';
import { type Answers, createAnswers, replacePath } from './verify-answer.ts';

/** Verifies the files of entries in one thread. Paths and URLs outside of every store pass as they are. */
export interface Verifier extends Answers {
  /** Whether this thread has verified an entry, which replaces no damaged one, and watches its loads. */
  isInUse: (entry: string) => boolean;
  /** Whether Node has loaded a verified file as a module, which it keeps: a later change has no effect. */
  isImported: (file: string) => boolean;
  /**
   * Verifies the entry of a file, unless this thread has done so; and the file, if a request found it.
   *
   * @param kind of the request that may load the file next
   * @param isAnswer whether a request found the file
   * @returns the path to use: in a sound entry when this one is damaged
   * @throws Node's not-found error of that kind with the cause, when there is no sound entry, or this
   *   process must not use it
   */
  verifyPath: (file: string, kind: Kind, isAnswer?: boolean) => string;
  /** Does the same for a URL; the conditions determine the kind. */
  verifyURL: (url: string, conditions: unknown, isAnswer?: boolean) => string;
  /** Does the same for the file that a path or URL in a request means; returns the specifier to use. */
  verifySpecifier: (request: Pick<Request, 'specifier' | 'kind' | 'parent'>, kind?: Kind) => string;
  /** Whether an entry was installed with a file. */
  isListed: (file: string) => boolean;
  /**
   * Verifies a file that is about to run. Content that differs from a sound file is the transformation
   * of another tool, and passes.
   *
   * @param content as Node or another tool read it; without it, only the file counts
   * @param kind of the load; by default that of the last `verifyPath`, if it was for this file
   * @returns undefined when the content may run; else the bytes to run in its place, from a sound entry
   * @throws Node's not-found error of that kind with the cause, when there is no sound entry
   */
  verifyContent: (file: string, content?: Content, kind?: Kind) => Buffer | undefined;
  /** Makes Node's not-found error for a file of an entry, with its cause, and reports it. */
  makeLoadError: (file: string, refusal: Refusal) => unknown;
}

type Kind = Request['kind'];

/**
 * @param watchLoads called before this thread loads the first file of an entry; makes Node's loaders
 *   call `verifyContent`. The function it returns is called before each further file, and returns
 *   whether the loaders still do
 */
export function createVerifier(
  locator: Locator,
  install: Install,
  watchLoads: (verifier: Verifier) => () => boolean,
): Verifier {
  const { finder, settings, verify } = locator.thread;
  const damages = createDamage(locator, install);
  const { findSoundEntry, makeDamageError, makeLoadError } = damages;
  const answers = createAnswers(locator, damages);
  /** The directory to use in place of an entry: its own, or that of a sound one. */
  const usable = new Map<string, string>();
  const imported = new Set<string>();
  const keepsLinks = settings.keepsLinks || hasPreservedLinks();
  let isWatched: (() => boolean) | undefined;
  let lastLoad: Pick<Load, 'file' | 'kind'> | undefined;

  const ensureWatched = (load: Load): void => {
    isWatched ??= watchLoads(verifier);
    if (!isWatched()) throw makeLoadError(load, FROZEN);
  };

  /** The directory to use in place of an entry. */
  const verifyEntry = (load: Load): string => {
    const { entry } = load;
    ensureWatched(load);
    const real = locator.findRealEntry(entry);
    const unfit = verify(real);
    if (unfit === undefined) return entry;
    if ('refusal' in unfit) throw makeLoadError(load, unfit.refusal);
    const sound = findSoundEntry(real, unfit.damage);
    if ('dir' in sound) return sound.dir;
    throw makeDamageError(load, unfit.damage, sound);
  };

  const traceEntry = (load: Load): string =>
    traceSync(verifications, { entry: load.entry }, () => verifyEntry(load));

  const verifyEntryOf = (file: string, kind: Kind): string => {
    const entry = locator.findEntryOf(file);
    if (entry === undefined) {
      if (!locator.isInStore(file)) return file;
      throw makeLoadError({ entry: file, file, kind }, refuseLoose(file));
    }
    const load = { entry, file, kind };
    let dir = usable.get(entry);
    if (dir !== undefined) ensureWatched(load);
    else dir = hideAdditions(() => (isReachable(entry) ? traceEntry(load) : undefined));
    // Node reports why it cannot read the file.
    if (dir === undefined) return file;
    usable.set(entry, dir);
    return dir === entry ? file : dir + file.slice(entry.length);
  };

  /** The path of a file in the damaged entry, if this thread has loaded it from there: it is not loaded twice. */
  const preferLoaded = (sound: string, kind: Kind): string => {
    const entry = locator.findEntryOf(sound);
    const damaged = entry && damages.findReplaced(entry);
    const file = damaged ? damaged + sound.slice(entry.length) : sound;
    return (kind === 'import' ? imported.has(file) : hasRequired(file)) ? file : sound;
  };

  const verifyPath = (file: string, kind: Kind, isAnswer = false): string => {
    const sound = verifyEntryOf(file, kind);
    const entry = isAnswer ? locator.findEntryOf(sound) : undefined;
    if (entry === undefined) return sound;
    return hideAdditions(() => {
      const damage = isReachable(entry) ? answers.findFileDamage(sound, entry) : undefined;
      if (damage === undefined) return sound;
      const load = { entry, file: sound, kind };
      const other = findSoundEntry(locator.findRealEntry(entry), damage);
      if ('refusal' in other) throw makeDamageError(load, damage, other);
      return other.dir + sound.slice(entry.length);
    });
  };

  /** The path of a file in its entry, and its digest; `damage` when the listing is damaged. */
  const findListed = (file: string, entry: string) => {
    const real = locator.findRealEntry(entry);
    const path = toListedPath(file, entry);
    const contents = finder.getContents(real);
    return typeof contents === 'string'
      ? { real, path, damage: contents }
      : { real, path, wanted: contents.find(path) };
  };

  const verifyFile = (load: Load, content: Content): Buffer | undefined => {
    const { entry, file } = load;
    const dir = locator.findRealEntry(entry);
    if (finder.isSealed(dir) && isSealedFile(file, dir)) return undefined;
    const { real, path, damage, wanted } = findListed(file, entry);
    if (hasDigest(content, wanted) || readSound(file, wanted) !== undefined) return undefined;
    const gone = findGone(entry);
    if (gone !== undefined) throw makeLoadError(load, gone);
    const change = wanted === undefined ? 'was not installed' : 'is not what was installed';
    const found = damage ?? `${path} ${change}`;
    const sound = findSoundEntry(real, found);
    const bytes = 'dir' in sound ? readSound(`${sound.dir}/${path}`, wanted) : undefined;
    if (bytes !== undefined) return bytes;
    throw makeDamageError(load, found, sound);
  };

  const verifier: Verifier = {
    ...answers,
    isInUse: (entry) =>
      usable.get(entry) === entry &&
      damages.findReplaced(entry) === undefined &&
      isWatched?.() === true,
    isImported: (file) => imported.has(file),
    verifyPath: (file, kind, isAnswer) => {
      const found = verifyPath(file, kind, isAnswer);
      const sound = isAnswer ? preferLoaded(found, kind) : found;
      lastLoad = { file: sound, kind };
      return sound;
    },
    verifyURL: (url, conditions, isAnswer) => {
      const file = locator.isInStore(url) ? toFile(url) : undefined;
      if (file === undefined) return url;
      const kind = isForRequire(conditions) ? 'require' : 'import';
      const found = verifyPath(file, kind, isAnswer);
      // Node 22 also asks hooks for a script that an ES module imports, with the conditions of require.
      const sound = isAnswer && kind === 'import' ? preferLoaded(found, kind) : found;
      return sound === file ? url : replacePath(url, sound);
    },
    verifySpecifier: (request, kind = request.kind) => {
      const { specifier } = request;
      const file = locator.findStoredPath(request);
      if (file === undefined) return specifier;
      const sound = verifyPath(file, kind);
      if (request.kind === 'require') return sound === file ? specifier : sound;
      // When Node preserves links it also keeps the spelling of a URL, which the load hook would not recognize.
      return sound === file && !keepsLinks ? specifier : replacePath(specifier, sound);
    },
    isListed: (file) => {
      const entry = locator.findEntryOf(file);
      return entry !== undefined && findListed(file, entry).wanted !== undefined;
    },
    verifyContent: (file, content, given) => {
      const entry = locator.findEntryOf(file);
      if (entry === undefined) return undefined;
      const kind = given ?? (lastLoad?.file === file ? lastLoad.kind : 'require');
      lastLoad = undefined;
      const verify = () => hideAdditions(() => verifyFile({ entry, file, kind }, content));
      const sound = traceSync(verifications, { entry, file }, verify);
      if (given === 'import') imported.add(file);
      return sound;
    },
    makeLoadError: (file, refusal) =>
      makeLoadError({ file, entry: locator.findEntryOf(file) ?? file, kind: 'import' }, refusal),
  };
  return verifier;
}

/** Whether `require` has a module of that path in its cache. */
const hasRequired = (file: string): boolean =>
  Object.hasOwn((Module as unknown as { _cache: object })._cache, file);

const FROZEN: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'the program froze Module.prototype, so files of a store cannot be verified',
  hint: 'load the feature before that, or set "verify" to "first-use" in the file of ANNEX_CONFIG',
};

const refuseLoose = (file: string): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${file} is in a store but not in an entry`,
  hint: 'remove it',
});
