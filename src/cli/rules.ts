/** The decision table in words, for people. */

/** What each rule says, by its number. */
export const RULES: Record<number, string> = {
  1: 'relative, absolute, a URL, a builtin or internal (#): Node answers',
  2: 'the file that asks is inside a store entry: entries are closed, and see core only where they share',
  3: 'not declared as a feature: Node answers',
  4: 'core has it: Node answers',
  5: 'core owns the name: its error stands, no other copy is used',
  6: 'the file that asks is outside the core and outside importers: Node answers',
  7: 'a valid entry stands in the stores: it answers',
  8: 'no install may start now',
  9: 'not installed: an import installs it',
};
