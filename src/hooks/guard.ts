/** Holds what a thread runs of an entry to what was installed, from the first file that it meets. */
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLookup, refreshLookup } from '../app/lookup.ts';
import { AnnexError, explain } from '../base/error.ts';
import { refuseDamage } from '../base/file-error.ts';
import { pathExists } from '../base/files.ts';
import { hideAdditions } from '../base/object-prototype.ts';
import { parseEntryName, relativeTo } from '../base/store-layout.ts';
import { toFile } from '../resolve/destination.ts';
import { findGone } from '../resolve/gone.ts';
import type { Locator } from '../resolve/locator.ts';
import { createMissing } from '../resolve/not-found.ts';
import type { Request } from '../resolve/request.ts';
import type { Surroundings } from '../resolve/resolve.ts';
import { createTell } from '../resolve/tell.ts';
import type { Asker } from '../resolve/thread.ts';
import { hasPreservedLinks } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import { findInstallRefusal } from '../status/refusals.ts';
import type { Refusal } from '../types.ts';
import { isForRequire } from './import.ts';
import { FROZEN, refuseOther, refuseRejected, STRAY, UNDECLARED } from './unsound.ts';
import { type Content, hasDigest, readSound } from './verify-content.ts';

/** Verifies the files of entries in one thread. */
export interface Guard {
  /**
   * Meets the entry that a file lies in: the first time, that entry is judged and verified.
   *
   * @param kind of the request, which Node may load the file for next
   * @returns the path to use: in a sound generation of the entry, when this one is damaged
   * @throws Node's not-found error of that kind with the cause, when there is no sound one, and when this
   *   process must not use the entry
   */
  place: (file: string, kind: Kind) => string;
  /**
   * The same for a URL that may be one of a file.
   *
   * @param conditions of the request, which tell its kind
   */
  placeURL: (url: string, conditions: Iterable<string>) => string;
  /**
   * The same for the file that a specifier means, and the specifier.
   *
   * @param kind of the load, when it is not that of the request
   */
  placeSpecifier: (request: Pick<Request, 'specifier' | 'kind' | 'parent'>, kind?: Kind) => string;
  /** Whether a URL is one of a file in a store. */
  covers: (url: string) => boolean;
  /** Whether a file is one that its entry was installed with. */
  isListed: (file: string) => boolean;
  /**
   * Verifies what is about to run. A content that is not the file's own, while the file is sound, is
   * another tool's transformation.
   *
   * @param content of the file, as Node or another tool read it; without one, the file alone counts
   * @param kind of the load; by default that of the last `place`, if it was for this file
   * @returns undefined when the content may run; else the bytes to run in its place, from a sound
   *   generation of the entry, which is installed when there is none
   * @throws Node's not-found error of that kind with the cause, when there is no sound one
   */
  verify: (file: string, content?: Content, kind?: Kind) => Buffer | undefined;
  /** Node's not-found error for a file of an entry, with its cause; reports it. */
  refuse: (file: string, refusal: Refusal) => unknown;
}

/** How a file is loaded. */
type Kind = Asker['kind'];

/** A load of a file that lies in an entry. */
interface Load {
  entry: string;
  file: string;
  kind: Kind;
}

/** What stands in for a damaged entry in this thread: the directory of a sound one, or why there is none. */
type Substitute = { dir: string } | { refusal: Refusal };

/**
 * @param watch called before the first file of an entry is loaded in this thread, to have all of them
 *   verified; what it returns is called before each of them, and tells whether that is still so
 */
export function createGuard(
  locator: Locator,
  install: Surroundings<never>['install'],
  watch: (guard: Guard) => () => boolean,
): Guard {
  const { finder, settings, failures, askers } = locator.thread;
  const homes = new Map<string, string>();
  let isWatched: (() => boolean) | undefined;
  const substitutes = new Map<string, Substitute>();
  const refused = new Set<string>();
  const tell = createTell(settings);
  const keepsLinks = settings.keepsLinks || hasPreservedLinks();

  const findFeature = (entry: string): Feature | undefined => {
    const slug = parseEntryName(basename(entry))?.slug;
    return [...settings.declaration.features.values()].find((each) => each.slug === slug);
  };
  const substitute = (entry: string, damage: string): Substitute => {
    finder.damages.set(entry, damage);
    const feature = findFeature(entry);
    if (feature === undefined) return { refusal: UNDECLARED };
    const lookup = createLookup(settings, feature);
    const { entry: present, unread } = finder.find(lookup);
    if (present !== undefined) return present;
    const refusal =
      unread ??
      findInstallRefusal(lookup, { local: failures.get(feature.name) }) ??
      install(lookup);
    const found = refusal === undefined ? finder.find(refreshLookup(lookup)) : undefined;
    if (found?.entry !== undefined) return found.entry;
    return { refusal: refusal ?? refuseRejected(found?.rejected ?? [], feature) };
  };
  const findSubstitute = (entry: string, damage: string): Substitute => {
    const known = substitutes.get(entry) ?? substitute(entry, damage);
    if ('dir' in known || known.refusal.isUnread !== true) substitutes.set(entry, known);
    return known;
  };
  const refuse = ({ file, entry, kind }: Load, refusal: Refusal): unknown => {
    const feature = findFeature(entry);
    const name = feature?.name ?? basename(entry);
    const parent = askers.get(name)?.parent;
    const asker = parent && relativeTo(settings.core.root, parent);
    const cause = new AnnexError(refusal, { feature: name, asker });
    if (feature !== undefined) tell(feature, cause, !refused.has(entry));
    refused.add(entry);
    return explain(createMissing(file, kind), cause);
  };
  const refuseBoth = (dir: string, damage: string, other: Substitute): Refusal =>
    refuseDamage({ dir, damage }, 'refusal' in other ? other.refusal : refuseOther(other.dir));
  const holdWatch = (load: Load): void => {
    isWatched ??= watch(guard);
    if (!isWatched()) throw refuse(load, FROZEN);
  };
  const admit = (load: Load): string | undefined => {
    const { entry } = load;
    if (!pathExists(entry)) return undefined;
    holdWatch(load);
    const real = locator.findRealEntry(entry);
    const unfit = locator.thread.meet(real);
    if (unfit === undefined) return entry;
    if ('refusal' in unfit) throw refuse(load, unfit.refusal);
    const other = findSubstitute(real, unfit.damage);
    if ('dir' in other) return other.dir;
    throw refuse(load, refuseBoth(entry, unfit.damage, other));
  };
  /** Where a file of an entry lies, and its digest; undefined when it was not installed. */
  const look = (file: string, entry: string) => {
    const real = locator.findRealEntry(entry);
    const path = file.slice(entry.length + 1);
    const expected = finder.expect(real);
    return typeof expected === 'string'
      ? { real, path, damage: expected }
      : { real, path, wanted: expected.files.get(path) };
  };

  const verifyIn = (load: Load, content: Content) => {
    const { entry, file } = load;
    const { real, path, damage, wanted } = look(file, entry);
    if (hasDigest(content, wanted) || readSound(file, wanted) !== undefined) return undefined;
    const gone = findGone(entry);
    if (gone !== undefined) throw refuse(load, gone);
    const problem =
      damage ??
      `${path} ${wanted === undefined ? 'was not installed' : 'is not what was installed'}`;
    const other = findSubstitute(real, problem);
    const sound = 'dir' in other ? readSound(`${other.dir}/${path}`, wanted) : undefined;
    if (sound !== undefined) return sound;
    throw refuse(load, refuseBoth(entry, problem, other));
  };

  const placeIn = (load: Load): string => {
    const { entry, file } = load;
    const known = homes.get(entry);
    if (known !== undefined) holdWatch(load);
    const home = known ?? hideAdditions(() => admit(load));
    if (home === undefined) return file;
    homes.set(entry, home);
    return home === entry ? file : home + file.slice(entry.length);
  };

  const placeFile = (file: string, kind: Kind): string => {
    const entry = locator.findEntryOf(file);
    if (entry !== undefined) return placeIn({ entry, file, kind });
    if (locator.isInStore(file)) throw refuse({ entry: file, file, kind }, STRAY);
    return file;
  };

  let placed: Pick<Load, 'file' | 'kind'> | undefined;
  const guard: Guard = {
    place: (file, kind) => {
      const place = placeFile(file, kind);
      placed = { file: place, kind };
      return place;
    },
    placeURL: (url, conditions) => {
      const file = guard.covers(url) ? toFile(url) : undefined;
      if (file === undefined) return url;
      const place = placeFile(file, isForRequire([...conditions]) ? 'require' : 'import');
      return place === file ? url : moveURL(url, place);
    },
    placeSpecifier: (request, kind = request.kind) => {
      const { specifier } = request;
      const file = locator.findPlace(request);
      if (file === undefined) return specifier;
      const place = placeFile(file, kind);
      if (request.kind === 'require') return place === file ? specifier : place;
      // A URL that Node does not bring into its usual form would not be known when it is loaded.
      return place === file && !keepsLinks ? specifier : moveURL(specifier, place);
    },
    covers: (url) => locator.findPrefix(url) !== undefined,
    isListed: (file) => {
      const entry = locator.findEntryOf(file);
      return entry !== undefined && look(file, entry).wanted !== undefined;
    },
    verify: (file, content, given) => {
      const entry = locator.findEntryOf(file);
      if (entry === undefined) return undefined;
      const kind = given ?? (placed?.file === file ? placed.kind : 'require');
      placed = undefined;
      return hideAdditions(() => verifyIn({ entry, file, kind }, content));
    },
    refuse: (file, refusal) =>
      refuse({ file, entry: locator.findEntryOf(file) ?? file, kind: 'import' }, refusal),
  };
  return guard;
}

/** The URL of another file, with the query and hash of a URL. */
const moveURL = (url: string, file: string): string =>
  pathToFileURL(file).href + (/[?#].*$/s.exec(url)?.[0] ?? '');
