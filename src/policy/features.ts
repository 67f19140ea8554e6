/** Reads the `annex` key of a package.json into features; everything wrong is named by its key. */

import { toSlug } from '../store/layout.ts';
import type { Declaration, Feature, Problem } from '../types.ts';
import { isPackageName } from './specifier.ts';
import { parseSwitch } from './switches.ts';

/** What the reader has to know of the world. */
export interface Surroundings {
  isBuiltin: (name: string) => boolean;
  isRange: (range: string) => boolean;
  /** Names of the core's workspaces. */
  workspaces: string[];
}

type Json = Record<string, unknown>;

const TOP_KEYS = new Set(['features', 'importers', 'allowInstalls', 'fromOptionalPeers']);
const FEATURE_KEYS = new Set(['packages']);
const MAX_LENGTH = 200;

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
  if (key !== undefined && !isObject(key))
    problems.push({ key: 'annex', reason: 'is not an object' });
  for (const name of Object.keys(annex)) {
    if (!TOP_KEYS.has(name)) {
      problems.push({
        key: `annex.${name}`,
        reason: 'is not known to this version and does nothing',
      });
    }
  }
  const forbidden = new Map<string, string>(
    surroundings.workspaces.map((name) => [name, 'a workspace of the core']),
  );
  if (typeof manifest.name === 'string') forbidden.set(manifest.name, 'the core itself');

  const features = new Map<string, Feature>();
  const byPackage = new Map<string, Feature>();
  const bySlug = new Map<string, string>();
  for (const [name, value, at] of listFeatures(annex, manifest, problems)) {
    const feature = readFeature(name, value);
    const wrong =
      feature.wrong ??
      findWrong(feature, bySlug, byPackage, (declared) =>
        surroundings.isBuiltin(declared) ? 'a builtin of Node' : forbidden.get(declared),
      ) ??
      findWrongRange(feature.packages, surroundings.isRange);
    const slug = toSlug(name);
    const problem = wrong === undefined ? undefined : { key: at + wrong.key, reason: wrong.reason };
    const checked: Feature = {
      name,
      slug,
      packages: feature.packages,
      ...(problem && { problem }),
    };
    features.set(name, checked);
    if (problem === undefined) bySlug.set(slug, name);
    for (const declared of Object.keys(feature.packages)) {
      if (byPackage.has(declared) || !isPackageName(declared)) continue;
      if (surroundings.isBuiltin(declared) || forbidden.has(declared)) continue;
      byPackage.set(declared, checked);
    }
  }
  return {
    features,
    byPackage,
    importers: readImporters(annex.importers, problems),
    allowInstalls: readAllowInstalls(annex, problems),
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

interface Wrong {
  /** Appended to the feature's own key. */
  key: string;
  reason: string;
}

interface ReadFeature {
  name: string;
  packages: Record<string, string>;
  wrong?: Wrong;
}

function readFeature(name: string, value: unknown): ReadFeature {
  if (typeof value === 'string') return { name, packages: { [name]: value } };
  const form = 'is neither a semver range nor { "packages": { NAME: RANGE } }';
  if (!isObject(value) || !isObject(value.packages)) {
    return { name, packages: {}, wrong: { key: '', reason: form } };
  }
  const entries = Object.entries(value.packages);
  const packages = Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const unknown = Object.keys(value).find((field) => !FEATURE_KEYS.has(field));
  if (unknown !== undefined) {
    const reason = 'is not known to this version, which cannot honour it';
    return { name, packages, wrong: { key: `.${unknown}`, reason } };
  }
  if (entries.length === 0 || entries.length !== Object.keys(packages).length) {
    return { name, packages, wrong: { key: '.packages', reason: form } };
  }
  return { name, packages };
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
    return { key: '', reason: `cannot be told from ${JSON.stringify(twin)} as a file name` };
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

function findWrongRange(
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

function readImporters(value: unknown, problems: Problem[]): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    problems.push({ key: 'annex.importers', reason: 'is not a list' });
    return [];
  }
  return value.filter((item, index): item is string => {
    const isFine = typeof item === 'string' && (item.startsWith('/') || isPackageName(item));
    if (!isFine) {
      const reason = 'is neither an absolute directory nor a package name';
      problems.push({ key: `annex.importers[${index}]`, reason });
    }
    return isFine;
  });
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

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPrintable = (text: string): boolean => !/\p{Cc}/u.test(text);
