/** Reads one feature of the `annex` key. */
import { isObject } from '../base/shape.ts';
import { isPackageName } from '../base/specifier.ts';

/** One feature as the core's package.json declares it. */
export interface Feature {
  name: string;
  /** The feature's name as a file name: `[a-z0-9._-]`, at most 60 characters. */
  slug: string;
  /** Declared packages: name to semver range. */
  packages: Record<string, string>;
  /** Packages of the closure whose install scripts may run. */
  scripts: string[];
  /** What happens to a dependency that core ships at a version that does not fit. */
  conflicts: 'fail' | 'nest';
  /** Whether anything may be taken from core. */
  share: boolean;
  /** Set when the declaration is wrong: the feature is off. */
  problem?: Problem;
}

/** Something wrong in a file that a person wrote. */
export interface Problem {
  /** Where: `annex.features["exa-js"]`. */
  key: string;
  reason: string;
}

type Json = Record<string, unknown>;

/** Characters that a name or a range may have. */
export const MAX_LENGTH = 200;

const FIELDS = new Set(['packages', 'scripts', 'conflicts', 'share']);

/** What is wrong with a feature. */
export interface Wrong {
  /** Appended to the feature's own key. */
  key: string;
  reason: string;
}

/** A feature as it stands in the file. */
export interface ReadFeature {
  name: string;
  packages: Record<string, string>;
  scripts: string[];
  /** Undefined: as the core says for all features. */
  conflicts?: 'fail' | 'nest';
  share: boolean;
  wrong?: Wrong;
}

/** Reads one feature; the first thing that is wrong with its form is told. */
export function readFeature(name: string, value: unknown): ReadFeature {
  const plain = { name, packages: {}, scripts: [], share: true };
  if (typeof value === 'string') return { ...plain, packages: { [name]: value } };
  const form = 'is neither a semver range nor { "packages": { NAME: RANGE } }';
  if (!isObject(value) || !isObject(value.packages)) {
    return { ...plain, wrong: { key: '', reason: form } };
  }
  const entries = Object.entries(value.packages);
  const packages = Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const { scripts = [], conflicts, share = true } = value;
  const wrong = findWrongField(value);
  if (wrong !== undefined) return { ...plain, packages, wrong };
  if (entries.length === 0 || entries.length !== Object.keys(packages).length) {
    return { ...plain, packages, wrong: { key: '.packages', reason: form } };
  }
  return {
    name,
    packages,
    scripts: [...(scripts as string[])].sort(),
    share: share as boolean,
    ...(conflicts !== undefined && { conflicts: conflicts as 'fail' | 'nest' }),
  };
}

function findWrongField(value: Json): Wrong | undefined {
  const unknown = Object.keys(value).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) {
    return { key: `.${unknown}`, reason: 'is not known to this version, which cannot honour it' };
  }
  const { scripts = [], conflicts = 'fail', share = true } = value;
  const isNames = Array.isArray(scripts) && scripts.every((item) => isPackageName(item));
  if (!isNames) return { key: '.scripts', reason: 'is not a list of package names' };
  if (conflicts !== 'fail' && conflicts !== 'nest') {
    return { key: '.conflicts', reason: 'is neither fail nor nest' };
  }
  if (typeof share !== 'boolean') return { key: '.share', reason: 'is neither true nor false' };
  return undefined;
}

/** The first range that is none. */
export function findWrongRange(
  packages: Record<string, string>,
  isRange: (range: string) => boolean,
): Wrong | undefined {
  for (const [name, range] of Object.entries(packages)) {
    const what = describeWrongRange(range, isRange);
    if (what !== undefined) {
      const shown = JSON.stringify(range.slice(0, MAX_LENGTH));
      return { key: '', reason: `${shown} for ${name} is ${what}; only a semver range will do` };
    }
  }
  return undefined;
}

function describeWrongRange(
  range: string,
  isRange: (range: string) => boolean,
): string | undefined {
  if (range.trim() === '') return 'empty';
  if (range.length > MAX_LENGTH) return 'longer than 200 characters';
  const protocol = /^([a-z+]+):/i.exec(range)?.[1]?.toLowerCase();
  if (protocol === 'npm') return 'an alias';
  if (protocol === 'file' || protocol === 'link' || /^[./~]*\//.test(range)) return 'a path';
  if (protocol === 'workspace' || protocol === 'catalog') return `a ${protocol} reference`;
  if (protocol !== undefined) return protocol.startsWith('git') ? 'a git address' : 'a URL';
  if (isRange(range)) return undefined;
  if (/^[\w.@:-]+\/[\w.-]+(#.*)?$/.test(range)) return 'a git address';
  return /^[a-z]/i.test(range) ? 'a tag' : 'not a semver range';
}

/** The items of a list that are fine; undefined when there is no list. */
export function readList(
  value: unknown,
  { key, isFine, reason }: { key: string; isFine: (item: string) => boolean; reason: string },
  problems: Problem[],
): string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) {
    problems.push({ key, reason: 'is not a list; the default applies' });
    return undefined;
  }
  return value.filter((item, index): item is string => {
    if (typeof item === 'string' && isFine(item)) return true;
    problems.push({ key: `${key}[${index}]`, reason });
    return false;
  });
}
