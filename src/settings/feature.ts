/** Reads one feature of the `annex` key. */
import { isRange } from '../base/semver.ts';
import { isObject } from '../base/shape.ts';
import { isPackageName } from '../base/specifier.ts';
import { toSlug } from '../base/store-layout.ts';
import type { Refusal } from '../types.ts';

/** One feature as the application's package.json declares it. */
export interface Feature {
  name: string;
  /** The feature's name as a file name: `[a-z0-9._-]`, at most 60 characters. */
  slug: string;
  /** Declared packages: name to semver range. */
  packages: Record<string, string>;
  /** Packages of the closure whose install scripts may run. */
  scripts: string[];
  /** What to do about a dependency that core ships at a version that does not fit. */
  conflicts: 'fail' | 'nest';
  /** Whether the feature may share packages with core. */
  share: boolean;
  /** Why the declaration is invalid: the feature is off. */
  refusal?: Refusal;
}

/** Makes the refusal of a field of a feature; '' is the feature itself. */
export type Refuse = (field: string, reason: string) => Refusal;

/** Characters of a name or a range. */
export const MAX_LENGTH = 200;

const FIELDS = new Set(['packages', 'scripts', 'conflicts', 'share']);

const FORM = 'is neither a semver range nor { "packages": { NAME: RANGE } }';

const PACKAGES_FORM = 'is not { NAME: RANGE } with at least one package';

/**
 * Reads one feature as far as it is valid. The packages of an invalid one are kept, so that an import
 * of them is refused.
 *
 * @param conflicts the setting that applies when the feature has none of its own
 */
export function readFeature(
  name: string,
  value: unknown,
  { conflicts, refuse }: { conflicts: Feature['conflicts']; refuse: Refuse },
): Feature {
  const feature: Feature = {
    name,
    slug: toSlug(name),
    packages: {},
    scripts: [],
    conflicts,
    share: true,
  };
  if (typeof value === 'string') return { ...feature, packages: { [name]: value } };
  if (!isObject(value) || !isObject(value.packages)) {
    return { ...feature, refusal: refuse('', FORM) };
  }
  const entries = Object.entries(value.packages);
  const ranges = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const packages = Object.fromEntries(ranges);
  const isWhole = ranges.length > 0 && ranges.length === entries.length;
  const refusal =
    findInvalidField(value, refuse) ?? (isWhole ? undefined : refuse('.packages', PACKAGES_FORM));
  if (refusal !== undefined) return { ...feature, packages, refusal };
  return {
    ...feature,
    packages,
    scripts: [...((value.scripts ?? []) as string[])].sort(),
    conflicts: (value.conflicts ?? conflicts) as Feature['conflicts'],
    share: (value.share ?? true) as boolean,
  };
}

function findInvalidField(value: Record<string, unknown>, refuse: Refuse): Refusal | undefined {
  const unknown = Object.keys(value).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) {
    return refuse(`.${unknown}`, 'is not known to this version, which cannot honor it');
  }
  const { scripts = [], conflicts = 'fail', share = true } = value;
  if (!Array.isArray(scripts) || !scripts.every((item) => isPackageName(item))) {
    return refuse('.scripts', 'is not a list of package names');
  }
  if (conflicts !== 'fail' && conflicts !== 'nest') {
    return refuse('.conflicts', 'is neither fail nor nest');
  }
  return typeof share === 'boolean' ? undefined : refuse('.share', 'is neither true nor false');
}

/** Refusal of the first invalid range. */
export function findInvalidRange({ packages }: Feature, refuse: Refuse): Refusal | undefined {
  for (const [name, range] of Object.entries(packages)) {
    const kind = describeInvalidRange(range);
    if (kind === undefined) continue;
    const shown = JSON.stringify(range.slice(0, MAX_LENGTH));
    return refuse('', `has ${shown} for ${name}, which is ${kind}, not a semver range`);
  }
  return undefined;
}

function describeInvalidRange(range: string): string | undefined {
  if (range.trim() === '') return 'empty';
  if (range.length > MAX_LENGTH) return `longer than ${MAX_LENGTH} characters`;
  const protocol = /^([a-z+]+):/i.exec(range)?.[1]?.toLowerCase();
  if (protocol === 'npm') return 'an alias';
  if (protocol === 'file' || protocol === 'link' || /^[./~]*\//.test(range)) return 'a path';
  if (protocol === 'workspace' || protocol === 'catalog') return `a ${protocol} reference`;
  if (protocol !== undefined) return protocol.startsWith('git') ? 'a git address' : 'a URL';
  if (isRange(range)) return undefined;
  if (/^[\w.@:-]+\/[\w.-]+(#.*)?$/.test(range)) return 'a git address';
  return /^[a-z]/i.test(range) ? 'a tag' : 'no version';
}
