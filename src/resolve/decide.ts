/** The decision table: which rule answers a request, or which fact has to be looked up first. */

/** Where the file stands that asks. */
export type Zone =
  /** The application's own files: of the core outside its node_modules, and of packages linked there from outside any. */
  | 'core'
  /** A package that core ships. */
  | 'dependency'
  /** A directory or package listed under `importers`. */
  | 'importer'
  /** An entry of a store: the file that asks is in it, or the path that is asked for leads into it. */
  | 'entry'
  /** Anywhere else. */
  | 'outside';

/** What is asked; known before anything is looked at. */
export interface Asked {
  /**
   * `bare` names a package; `free` is a builtin, or means a file outside of every store by a path or
   * a URL; `other` is anything else: `#internal`, a place in a store, a name that no package has.
   */
  form: 'bare' | 'free' | 'other';
  /** require.resolve was given `paths`, and the look-up starts from one of them. */
  hasPaths: boolean;
  isDeclared: boolean;
  zone: Zone;
  /** In an entry: the name is in its manifest's shared list. */
  isShared: boolean;
}

/** What is looked up, one after the other, and only when a rule needs it. */
export interface Evidence {
  /** What Node itself answers: a file, one outside of the entry that has to hold it, or an error. */
  node?: 'found' | 'found outside' | 'failed';
  /**
   * Core owns the name, as seen from the parent; `for require` when nothing but a folder does that
   * import does not search.
   */
  isOwned?: boolean | 'for require';
  /** The core root holds a package of that name. */
  isInRoot?: boolean;
  /** This thread chose an entry, or a valid one is in the stores. */
  hasEntry?: boolean;
  /** Whether an install may start now. */
  mayInstall?: boolean;
  /** The install was tried in answer to this request. */
  hasTried?: boolean;
}

/** The answer: do something by a rule of the table, or look something up and ask again. */
export type Decision =
  | { rule: number; verdict: 'pass' | 'as Node' | 'as core root' | 'not found' | 'from entry' }
  | { rule: number; verdict: 'explain' | 'install' }
  | { look: Exclude<keyof Evidence, 'hasTried'> };

/**
 * Decides by the table of the README ("How a specifier is resolved"). Pure: it gets facts and
 * returns a decision; the same facts always give the same one.
 *
 * Verdicts: `pass` hands the request to Node and looks no further; `as Node` keeps Node's answer or
 * its error untouched; `as core root` resolves again as from there; `not found` is Node's not-found
 * error for something that Node did find, but outside; `from entry` resolves inside the entry;
 * `explain` is Node's error with a cause; `install` installs and asks again.
 */
export function decide(asked: Asked, evidence: Evidence): Decision {
  const { form, zone } = asked;
  if (form === 'free') return { rule: 1, verdict: 'pass' };
  if (zone === 'entry') return decideInEntry(asked, evidence);
  if (form === 'other' || asked.hasPaths) return { rule: 1, verdict: 'pass' };
  if (!asked.isDeclared) return { rule: 3, verdict: 'pass' };
  if (evidence.node === undefined) return { look: 'node' };
  if (evidence.node !== 'failed') return { rule: 4, verdict: 'as Node' };
  if (evidence.isOwned === undefined) return { look: 'isOwned' };
  if (evidence.isOwned === true) return { rule: 5, verdict: 'as Node' };
  if (evidence.isOwned && zone !== 'outside') return { rule: 5, verdict: 'explain' };
  if (zone === 'outside') return { rule: 6, verdict: 'as Node' };
  if (zone === 'importer') {
    if (evidence.isInRoot === undefined) return { look: 'isInRoot' };
    if (evidence.isInRoot) return { rule: 6, verdict: 'as core root' };
  }
  if (evidence.hasEntry === undefined) return { look: 'hasEntry' };
  if (evidence.hasEntry) return { rule: 7, verdict: 'from entry' };
  if (evidence.hasTried === true) return { rule: 9, verdict: 'explain' };
  if (evidence.mayInstall === undefined) return { look: 'mayInstall' };
  return evidence.mayInstall ? { rule: 9, verdict: 'install' } : { rule: 8, verdict: 'explain' };
}

function decideInEntry(asked: Asked, evidence: Evidence): Decision {
  if (asked.isShared && asked.form === 'bare') return { rule: 2, verdict: 'as core root' };
  if (evidence.node === undefined) return { look: 'node' };
  return { rule: 2, verdict: evidence.node === 'found outside' ? 'not found' : 'as Node' };
}
