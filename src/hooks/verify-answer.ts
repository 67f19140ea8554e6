/** Verifies what requests find in entries: the file, and what made Node find it. */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { refuseUnread } from '../base/file-error.ts';
import { isWithin, toListedPath } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import { findTargetPath } from '../resolve/destination.ts';
import { isReachable } from '../resolve/gone.ts';
import { isInstalledAnswer } from '../resolve/installed-answer.ts';
import type { Locator } from '../resolve/locator.ts';
import type { AnswerVerifier } from '../resolve/verified.ts';
import { hasPreservedLinks } from '../settings/environment.ts';
import { isVerifiedAtLoad } from '../store/finder.ts';
import { isSealedFile } from '../store/sealed.ts';
import { createTouched, type Touched } from '../store/touched.ts';
import type { Damage } from './damage.ts';

/** Verifies answers, with or without the request. */
export interface Answers extends AnswerVerifier {
  /** One clause on the damage of a file that Node found in an entry. @throws transient errors of the file system */
  findFileDamage: (file: string, entry: string) => string | undefined;
}

/** Creates the verification of one thread. */
export function createAnswers(locator: Locator, damages: Damage): Answers {
  const { findSoundEntry, makeDamageError, makeLoadError } = damages;
  const { finder, settings } = locator.thread;
  const isWatched = isVerifiedAtLoad(settings);
  const keepsLinks = settings.keepsLinks || hasPreservedLinks();
  const known = new Map<string, Touched>();
  const touch = (dir: string): Touched | string => {
    const contents = finder.getContents(dir);
    if (typeof contents === 'string') return contents;
    const touched = known.get(dir) ?? createTouched(dir, contents, { isWatched, keepsLinks });
    known.set(dir, touched);
    return touched;
  };
  /** A path below the entry; undefined for any other. */
  const toBelow = (path: string | undefined, entry: string, dir: string): string | undefined => {
    const whole = path && resolve(path);
    const top = [dir, entry].find((each) => whole && isWithin(whole, each));
    return top && whole?.slice(top.length + 1);
  };
  const findFileDamage: Answers['findFileDamage'] = (file, entry) => {
    if (settings.verify !== 'load') return undefined;
    const dir = locator.findRealEntry(entry);
    if (finder.isSealed(dir) && isSealedFile(file, dir)) return undefined;
    const touched = touch(dir);
    return typeof touched === 'string'
      ? touched
      : touched.findFileDamage(toListedPath(file, entry));
  };
  const findDamage = (
    ...[request, entry, answer]: Parameters<AnswerVerifier['verifyAnswer']>
  ): string | undefined => {
    const dir = locator.findRealEntry(entry);
    const found = 'result' in answer ? answer.result : undefined;
    if (finder.isSealed(dir) && (found === undefined || isSealedFile(found, dir))) return undefined;
    const touched = touch(dir);
    if (typeof touched === 'string') return touched;
    const file = toBelow(found, entry, dir);
    const damage = file && touched.findFileDamage(file);
    if (damage) return damage;
    const { specifier, kind, parent } = request;
    const answered = {
      specifier,
      kind,
      parent: toBelow(parent, entry, dir),
      target: toBelow(findTargetPath(request), entry, dir),
      file,
      code: 'error' in answer ? codeOf(answer.error) : undefined,
    };
    return isInstalledAnswer(answered, touched) ? undefined : finder.scan(dir);
  };
  return {
    findFileDamage,
    verifyAnswer: (request, entry, answer) => {
      if (settings.verify !== 'load') return undefined;
      try {
        const damage = isReachable(entry) ? findDamage(request, entry, answer) : undefined;
        return damage === undefined ? undefined : { damage };
      } catch (error) {
        const load = { entry, file: request.specifier, kind: request.kind };
        return { error: makeLoadError(load, refuseUnread(error, entry)) };
      }
    },
    redirect: (request, entry, damage) => {
      const dir = locator.findRealEntry(entry);
      const target = findTargetPath(request);
      const sound = findSoundEntry(dir, damage);
      if ('refusal' in sound) {
        const load = { entry, file: target ?? request.specifier, kind: request.kind };
        return { error: makeDamageError(load, damage, sound) };
      }
      const move = (path: string | undefined): string | undefined => {
        const below = toBelow(path, entry, dir);
        return below === undefined ? path : `${sound.dir}/${below}`;
      };
      const { kind, specifier } = request;
      const parent = move(request.parent);
      const from = parent === request.parent ? undefined : parent;
      const isRelative = from !== undefined && specifier[0] === '.' && !isAbsolute(specifier);
      if (target === undefined || isRelative) {
        return { request: { ...request, parent }, question: { from } };
      }
      const path = `${move(target)}${kind === 'require' && specifier.endsWith('/') ? '/' : ''}`;
      const moved = kind === 'require' ? path : replacePath(specifier, path);
      return {
        request: { ...request, parent, specifier: moved },
        question: { from, specifier: moved },
      };
    },
  };
}

/** The URL of another file, with the query and hash of a URL. */
export const replacePath = (url: string, file: string): string =>
  pathToFileURL(file).href + (/[?#].*$/s.exec(url)?.[0] ?? '');
