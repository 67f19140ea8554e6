/** Reads the `annex` key of a package.json into features; everything wrong is named by its key. */
import { parsePlatform } from '../base/platform.ts';
import { isObject } from '../base/shape.ts';
import { isPackageName } from '../base/specifier.ts';
import { toSlug } from '../base/store-layout.ts';
import type { Blocked } from '../types.ts';
import { readBlocked } from './blocked.ts';
import {
  type Feature,
  findWrongRange,
  MAX_LENGTH,
  type Problem,
  type ReadFeature,
  readFeature,
  readList,
  type Wrong,
} from './feature.ts';
import { describeUnknown, parseSwitch } from './switches.ts';

/** The `annex` key of the core's package.json, checked. */
export interface Declaration {
  features: Map<string, Feature>;
  /** Declared package name to the feature that lists it. */
  byPackage: Map<string, Feature>;
  /** Directories (absolute) and package names whose imports may trigger installs. */
  importers: string[];
  /** Platforms that a lock is made for: `linux-x64-glibc`. */
  platforms: string[];
  /** The sealed switch; undefined when the core does not say. */
  allowInstalls: boolean | undefined;
  /** What must not be used, whatever is declared or locked. */
  blocked: Blocked[];
  /** Something is blocked, and it cannot be told what: nothing may be installed. */
  unclear?: Problem;
  /** What is wrong besides the features themselves. */
  problems: Problem[];
}

/** What the reader has to know of the world. */
export interface Surroundings {
  isBuiltin: (name: string) => boolean;
  isRange: (range: string) => boolean;
  /** Names of the core's workspaces. */
  workspaces: string[];
}

type Json = Record<string, unknown>;

/** The keys of `annex` that are known. */
export const TOP_KEYS: ReadonlySet<string> = new Set([
  'features',
  'importers',
  'allowInstalls',
  'fromOptionalPeers',
  'conflicts',
  'platforms',
  'blocked',
]);

/** What a lock is made for unless the core says otherwise; never the machine that happens to lock. */
const PLATFORMS = ['linux-arm64-glibc', 'linux-x64-glibc'];

/**
 * Reads and checks the declaration of a core.
 *
 * A wrong feature is kept, with its problem, so that an import of its packages can say why it is
 * off; every other feature goes on.
 *
 * @param manifest the parsed package.json
 */
export function readDeclaration(manifest: Json, surroundings: Surroundings): Declaration {
  const problems: Problem[] = [];
  const key = manifest.annex;
  const annex = isObject(key) ? key : {};
  if (key !== undefined && !isObject(key)) {
    const what = Array.isArray(key) ? 'a list' : key === null ? 'null' : `a ${typeof key}`;
    const reason = `is not an object but ${what}; features are declared as { "features": { NAME: RANGE } }`;
    problems.push({ key: 'annex', reason });
  }
  const meant = new Map<string | undefined, Problem>();
  for (const name of Object.keys(annex).filter((one) => !TOP_KEYS.has(one))) {
    const { meaning, near } = describeUnknown(name, TOP_KEYS);
    const isFeature = near === undefined && isPackageName(name) && isFeatureLike(annex[name]);
    const place = isFeature ? '; a feature belongs below annex.features' : '';
    const problem = { key: `annex.${name}`, reason: `${meaning}${place}` };
    problems.push(problem);
    meant.set(near, problem);
  }
  const forbidden = new Map<string, string>(
    surroundings.workspaces.map((name) => [name, 'a workspace of the core']),
  );
  if (typeof manifest.name === 'string') forbidden.set(manifest.name, 'the core itself');

  const conflicts = readConflicts(annex.conflicts, problems);
  const features = new Map<string, Feature>();
  const byPackage = new Map<string, Feature>();
  const bySlug = new Map<string, string>();
  for (const [name, value, at] of listFeatures(annex, manifest, problems)) {
    const feature = readFeature(name, value);
    const { packages, scripts, share } = feature;
    const wrong =
      feature.wrong ??
      findWrong(feature, bySlug, byPackage, (declared) =>
        surroundings.isBuiltin(declared) ? 'a builtin of Node' : forbidden.get(declared),
      ) ??
      findWrongRange(packages, surroundings.isRange);
    const slug = toSlug(name);
    const problem = wrong === undefined ? undefined : { key: at + wrong.key, reason: wrong.reason };
    const checked: Feature = {
      name,
      slug,
      packages,
      scripts,
      conflicts: feature.conflicts ?? conflicts,
      share,
      ...(problem && { problem }),
    };
    features.set(name, checked);
    if (problem === undefined) bySlug.set(slug, name);
    for (const declared of Object.keys(packages)) {
      if (byPackage.has(declared) || !isPackageName(declared)) continue;
      if (surroundings.isBuiltin(declared) || forbidden.has(declared)) continue;
      byPackage.set(declared, checked);
    }
  }
  const by = { key: 'annex.blocked', by: 'package.json', isRange: surroundings.isRange };
  const { blocked, unclear, problems: wrong } = readBlocked(annex.blocked, by);
  problems.push(...wrong);
  const open = unclear ?? meant.get('blocked');
  return {
    features,
    byPackage,
    importers: readImporters(annex.importers, problems),
    platforms: readPlatforms(annex.platforms, problems),
    allowInstalls: meant.has('allowInstalls') ? false : readAllowInstalls(annex, problems),
    blocked,
    ...(open && { unclear: open }),
    problems,
  };
}

type Listed = [name: string, value: unknown, key: string];

function listFeatures(annex: Json, manifest: Json, problems: Problem[]): Listed[] {
  const listed: Listed[] = [];
  const features = annex.features ?? {};
  if (isObject(features)) {
    for (const [name, value] of Object.entries(features)) {
      listed.push([name, value, `annex.features[${JSON.stringify(name)}]`]);
    }
  } else {
    problems.push({ key: 'annex.features', reason: 'is not an object' });
  }
  const { fromOptionalPeers } = annex;
  if (fromOptionalPeers !== undefined && typeof fromOptionalPeers !== 'boolean') {
    problems.push({
      key: 'annex.fromOptionalPeers',
      reason: 'is not true or false; taken as false',
    });
  }
  if (fromOptionalPeers === true) {
    const meta = isObject(manifest.peerDependenciesMeta) ? manifest.peerDependenciesMeta : {};
    const peers = isObject(manifest.peerDependencies) ? manifest.peerDependencies : {};
    const taken = new Set(listed.map(([name]) => name));
    for (const [name, range] of Object.entries(peers)) {
      const isOptional = (meta[name] as { optional?: unknown } | undefined)?.optional === true;
      if (isOptional && !taken.has(name)) {
        listed.push([name, range, `peerDependencies[${JSON.stringify(name)}]`]);
      }
    }
  }
  return listed;
}

function findWrong(
  { name, packages }: ReadFeature,
  bySlug: Map<string, string>,
  byPackage: Map<string, Feature>,
  describeForbidden: (name: string) => string | undefined,
): Wrong | undefined {
  if (name === '' || name.length > MAX_LENGTH || !isPrintable(name)) {
    return {
      key: '',
      reason: 'has a name that is empty, longer than 200 characters or unprintable',
    };
  }
  const twin = bySlug.get(toSlug(name));
  if (twin !== undefined) {
    return { key: '', reason: `has the same file name as ${JSON.stringify(twin)}` };
  }
  for (const declared of Object.keys(packages)) {
    if (!isPackageName(declared)) {
      return { key: '', reason: `${JSON.stringify(declared)} is not a valid npm package name` };
    }
    const forbidden = describeForbidden(declared);
    if (forbidden !== undefined) return { key: '', reason: `${declared} is ${forbidden}` };
    const other = byPackage.get(declared);
    if (other !== undefined) {
      return { key: '', reason: `${declared} is already in feature ${JSON.stringify(other.name)}` };
    }
  }
  return undefined;
}

function readImporters(value: unknown, problems: Problem[]): string[] {
  const isFine = (item: string): boolean => item.startsWith('/') || isPackageName(item);
  const reason = 'is neither an absolute directory nor a package name';
  return readList(value, { key: 'annex.importers', isFine, reason }, problems) ?? [];
}

function readAllowInstalls(annex: Json, problems: Problem[]): boolean | undefined {
  const value = annex.allowInstalls;
  if (value === undefined) return undefined;
  const parsed = parseSwitch(value);
  if (parsed === undefined) {
    problems.push({ key: 'annex.allowInstalls', reason: 'is not a boolean; taken as false' });
  }
  return parsed ?? false;
}

function readConflicts(value: unknown, problems: Problem[]): 'fail' | 'nest' {
  if (value !== undefined && value !== 'fail' && value !== 'nest') {
    problems.push({ key: 'annex.conflicts', reason: 'is neither fail nor nest; taken as fail' });
  }
  return value === 'nest' ? 'nest' : 'fail';
}

function readPlatforms(value: unknown, problems: Problem[]): string[] {
  const isFine = (item: string): boolean => parsePlatform(item) !== undefined;
  const reason = 'is no platform, such as linux-x64-glibc or darwin-arm64';
  const platforms = readList(value, { key: 'annex.platforms', isFine, reason }, problems) ?? [];
  return platforms.length === 0 ? PLATFORMS : [...new Set(platforms)].sort();
}

const isFeatureLike = (value: unknown): boolean => typeof value === 'string' || isObject(value);

const isPrintable = (text: string): boolean => !/\p{Cc}/u.test(text);
