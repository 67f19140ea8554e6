/** The decision table: the rule that answers a request, or the fact that is needed next. */

/** The location of the parent file. */
export type Zone =
  /** Files of the core outside its node_modules, and of packages linked into it from outside any node_modules. */
  | 'core'
  /** A package that the core ships. */
  | 'dependency'
  /** A directory or package listed under `importers`. */
  | 'importer'
  /** An entry of a store: the parent file lies in it, or the path that the specifier means. */
  | 'entry'
  /** Anywhere else. */
  | 'outside';

/** The request, as known without reading any file. */
export interface RequestFacts {
  /**
   * `bare` names a package; `free` is a builtin, or a path or URL of a file outside every store; `other` is
   * anything else: `#internal`, a path in a store, a name that no package can have.
   */
  form: 'bare' | 'free' | 'other';
  /** require.resolve was given `paths`, and the search starts at one of them. */
  hasPaths: boolean;
  isDeclared: boolean;
  zone: Zone;
  /** In an entry: the manifest lists the name as shared. */
  isShared: boolean;
}

/** Facts, collected one after the other when a rule needs them. */
export interface Evidence {
  /** Node's own answer: a file, a file outside the entry that has to hold it, or an error. */
  nodeResult?: 'found' | 'found outside' | 'failed';
  /**
   * Whether the core owns the name, as seen from the parent file; `for require` when the only owner is in a
   * folder that `import` does not search.
   */
  isOwned?: boolean | 'for require';
  /** The core root has a package of that name. */
  isInRoot?: boolean;
  /** This thread has chosen an entry, or the stores have a valid one. */
  hasEntry?: boolean;
  /** Whether an install may start now. */
  mayInstall?: boolean;
  /** An install was attempted for this request. */
  hasTried?: boolean;
}

/** The verdict of a rule, or the next fact to collect. */
export type Decision =
  | { rule: number; verdict: 'pass' | 'as Node' | 'as core root' | 'not found' | 'from entry' }
  | { rule: number; verdict: 'explain' | 'install' }
  | { needs: Exclude<keyof Evidence, 'hasTried'> };

/**
 * Decides by the table of docs/resolution.md. Pure: the same facts give the same decision.
 *
 * Verdicts: `pass` leaves the request to Node; `as Node` keeps Node's answer or error; `as core root` resolves
 * again from the core root; `not found` is Node's not-found error although Node found a file; `from entry`
 * resolves inside the entry; `explain` is Node's error with a cause; `install` installs and decides again.
 */
export function decide(facts: RequestFacts, evidence: Evidence): Decision {
  const { form, zone } = facts;
  if (form === 'free') return { rule: 1, verdict: 'pass' };
  if (zone === 'entry') return decideInEntry(facts, evidence);
  if (form === 'other' || facts.hasPaths) return { rule: 1, verdict: 'pass' };
  if (!facts.isDeclared) return { rule: 3, verdict: 'pass' };
  if (evidence.nodeResult === undefined) return { needs: 'nodeResult' };
  if (evidence.nodeResult !== 'failed') return { rule: 4, verdict: 'as Node' };
  if (evidence.isOwned === undefined) return { needs: 'isOwned' };
  if (evidence.isOwned === true) return { rule: 5, verdict: 'as Node' };
  if (evidence.isOwned && zone !== 'outside') return { rule: 5, verdict: 'explain' };
  if (zone === 'outside') return { rule: 6, verdict: 'as Node' };
  if (zone === 'importer') {
    if (evidence.isInRoot === undefined) return { needs: 'isInRoot' };
    if (evidence.isInRoot) return { rule: 6, verdict: 'as core root' };
  }
  if (evidence.hasEntry === undefined) return { needs: 'hasEntry' };
  if (evidence.hasEntry) return { rule: 7, verdict: 'from entry' };
  if (evidence.hasTried === true) return { rule: 9, verdict: 'explain' };
  if (evidence.mayInstall === undefined) return { needs: 'mayInstall' };
  return evidence.mayInstall ? { rule: 9, verdict: 'install' } : { rule: 8, verdict: 'explain' };
}

function decideInEntry(facts: RequestFacts, evidence: Evidence): Decision {
  if (facts.isShared && facts.form === 'bare') return { rule: 2, verdict: 'as core root' };
  if (evidence.nodeResult === undefined) return { needs: 'nodeResult' };
  return { rule: 2, verdict: evidence.nodeResult === 'found outside' ? 'not found' : 'as Node' };
}
