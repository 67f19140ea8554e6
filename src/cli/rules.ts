/** Texts of `annex why`: rules of the decision table, zones and facts. */
import type { Evidence, Zone } from '../resolve/decide.ts';
import type { Subject } from '../resolve/facts.ts';

/** Each rule, by its number. */
export const RULES: Record<number, string> = {
  1: 'a builtin, a path, a URL or internal (#), outside of every store: Node answers',
  2: 'the importing file, or the path that it requests, is inside an entry: entries are closed, and see core only where they share',
  3: 'not declared as a feature: Node answers',
  4: 'core has it: Node answers',
  5: 'core owns the name: its error is final, no other copy is used',
  6: 'the importing file is outside the core and no importer: Node answers',
  7: 'the stores hold a valid entry: it answers',
  8: 'not installed, and no install may start now',
  9: 'not installed: an import installs it',
};

/** Zones of the importing file. */
export const ZONES: Record<Zone, string> = {
  core: 'the core',
  dependency: 'a package that core ships',
  importer: 'an importer',
  entry: 'an entry of a store',
  outside: 'outside the core',
};

/** A fact that a rule depends on. */
export type Fact = keyof Omit<Evidence, 'hasTried'>;

/**
 * Describes one fact in one line.
 *
 * @param node code of Node's own error
 * @example describeFact('isOwned', subject, undefined) // "core's own copy: none"
 */
export function describeFact(fact: Fact, subject: Subject, node: string | undefined): string {
  const { evidence, found, owner, refusal } = subject;
  switch (fact) {
    case 'nodeResult':
      return `Node without annex: ${evidence.nodeResult === 'failed' ? (node ?? 'failed') : evidence.nodeResult}`;
    case 'isOwned':
      return `core's own copy, seen from there: ${owner ?? 'none'}${evidence.isOwned === 'for require' ? ', which import does not search' : ''}`;
    case 'isInRoot':
      return `core's copy at its root: ${evidence.isInRoot === true ? 'yes' : 'none'}`;
    case 'hasEntry':
      return `valid entry in the stores: ${found?.entry?.dir ?? 'none'}`;
    case 'mayInstall':
      return `an install may start: ${evidence.mayInstall === true ? 'yes' : `no, ${refusal?.reason}`}`;
  }
}
