/** What makes two entries the same, as one text. */
import type { SharedPackage } from './plan.ts';

/** One package of a closure, as npm's lockfile names it. */
export interface ClosurePackage {
  /** Below the entry, with slashes: `node_modules/axios/node_modules/form-data`. */
  path: string;
  name: string;
  version: string;
  integrity?: string;
}

/** What makes two entries the same. */
export interface Content {
  closure: ClosurePackage[];
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Packages of the closure whose install scripts run. */
  scripts: string[];
}

/**
 * The text whose digest is the id of an entry: equal content, equal text, whatever the feature is
 * called. Core's version of what is shared has no part in it, so that two images whose cores differ
 * in that use one entry.
 */
export function canonicalize({ closure, shared, private: own, scripts }: Content): string {
  const content = {
    closure: closure
      .map(({ integrity, name, path, version }) => ({ integrity, name, path, version }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    format: 1,
    private: [...own].sort(),
    scripts: [...scripts].sort(),
    shared: Object.fromEntries(
      Object.entries(shared)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { ranges }]) => [name, [...ranges].sort()]),
    ),
  };
  return JSON.stringify(content);
}
