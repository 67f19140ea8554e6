/** Texts of `annex why`: rules of the decision table, zones and facts. */
import type { Evidence, Zone } from '../../resolve/decide.ts';
import type { Subject } from '../../resolve/facts.ts';

/** Each rule, by its number. */
export const RULES: Record<number, string> = {
  1: 'a builtin, or a path, URL or # specifier outside of every store: Node answers',
  2: 'the importing file or the requested path is inside an entry: only its own files and the packages that it shares with core answer',
  3: 'not declared as a feature: Node answers',
  4: 'core has it: Node answers',
  5: 'core owns the name: its error is final, no other copy is used',
  6: 'the importing file is outside the core and not an importer: Node answers',
  7: 'the stores hold a valid entry: it answers',
  8: 'not installed, and no install may start now',
  9: 'not installed: an import installs it',
};

/** Why a request fails, by its rule: the clause after "because". */
export const VERDICTS: Record<number, string> = {
  1: 'Node finds no such file',
  2: 'the entry has no such file, and does not share the package with core',
  3: 'no feature declares it, and Node does not find it',
  5: "core owns the name, and Node finds no such file in core's copy",
  6: 'the importing file is outside the core and gets no features',
  7: 'the entry has no such file',
  8: 'it is not installed, and no install may start now',
  9: 'it is not installed yet; an import installs it',
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
 * @example describeFact('isOwned', subject, undefined) // "core's copy, as seen from the importing file: none"
 */
export function describeFact(fact: Fact, subject: Subject, node: string | undefined): string {
  const { evidence, found, owner, refusal } = subject;
  switch (fact) {
    case 'nodeResult':
      return `Node without annex: ${evidence.nodeResult === 'failed' ? (node ?? 'failed') : evidence.nodeResult}`;
    case 'isOwned':
      return `core's copy, as seen from the importing file: ${owner ?? 'none'}${evidence.isOwned === 'for require' ? ', which import does not search' : ''}`;
    case 'isInRoot':
      return `core's copy at its root: ${evidence.isInRoot === true ? 'yes' : 'none'}`;
    case 'hasEntry':
      return `valid entry in the stores: ${found?.entry?.dir ?? 'none'}`;
    case 'mayInstall':
      return `an install may start: ${evidence.mayInstall === true ? 'yes' : `no, ${refusal?.reason}`}`;
  }
}
