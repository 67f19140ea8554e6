/** Reads the `annex` key of a package.json: its settings, and its features. */
import { isBuiltin } from 'node:module';
import { isObject, type JsonObject } from '../base/shape.ts';
import { isPackageName } from '../base/specifier.ts';
import type { Refusal } from '../types.ts';
import { type Feature, findInvalidRange, MAX_LENGTH, type Refuse, readFeature } from './feature.ts';
import { refuseSetting } from './parse.ts';
import { type ReadSource, readSource, resolveSettings } from './sources.ts';
import { COLUMNS, SCHEMA } from './table.ts';

/** The `annex` key of the application's package.json, checked. */
export interface Declaration {
  features: Map<string, Feature>;
  /** Declared package name to the feature that lists it. */
  byPackage: Map<string, Feature>;
  /** Directories (absolute) and package names whose imports may start installs. */
  importers: string[];
  /** Platforms that a lock is made for: `linux-x64-glibc`. */
  platforms: string[];
  /** Refusals of other keys than those of features. */
  refusals: Refusal[];
}

/** A package.json and its surroundings. */
export interface DeclaringManifest {
  path: string;
  manifest: JsonObject;
  /** Names of the workspaces. */
  workspaces: string[];
}

/**
 * Reads the declaration of an application. An invalid feature is kept with its refusal, so that an
 * import of its packages can say why it is off. It does not affect other features.
 *
 * @returns the declaration, and the source of settings that the `annex` key is
 */
export function readDeclaration({ path, manifest, workspaces }: DeclaringManifest): {
  declaration: Declaration;
  source: ReadSource;
} {
  const source = readAnnexKey(path, manifest.annex);
  const { values } = resolveSettings([source]);
  const forbidden = new Map(workspaces.map((name) => [name, 'a workspace of the core']));
  if (typeof manifest.name === 'string') forbidden.set(manifest.name, 'the core itself');
  const features = new Map<string, Feature>();
  const byPackage = new Map<string, Feature>();
  const bySlug = new Map<string, string>();
  const describeForbidden = (name: string): string | undefined =>
    isBuiltin(name) ? 'a builtin of Node' : forbidden.get(name);
  const findTaken = (feature: Feature, refuse: Refuse): Refusal | undefined => {
    const twin = bySlug.get(feature.slug);
    if (twin !== undefined) {
      return refuse('', `has the same file name as ${JSON.stringify(twin)}`);
    }
    for (const name of Object.keys(feature.packages)) {
      const what = isPackageName(name) ? describeForbidden(name) : 'not a valid npm package name';
      const other = byPackage.get(name);
      if (what !== undefined) return refuse('', `lists ${JSON.stringify(name)}, which is ${what}`);
      if (other === undefined) continue;
      return refuse('', `lists ${name}, which is already in feature ${JSON.stringify(other.name)}`);
    }
    return undefined;
  };

  const listed = Object.entries(values.features).map(
    ([name, value]): Listed => [name, value, `annex.features[${JSON.stringify(name)}]`],
  );
  if (values.fromOptionalPeers) listed.push(...listOptionalPeers(manifest, values.features));
  for (const [name, value, key] of listed) {
    const refuse: Refuse = (field, reason) =>
      refuseSetting(`${key}${field} in ${path} ${reason}`, 'correct that key of package.json');
    const feature = readFeature(name, value, { conflicts: values.conflicts, refuse });
    const refusal =
      feature.refusal ??
      findInvalidName(name, refuse) ??
      findTaken(feature, refuse) ??
      findInvalidRange(feature, refuse);
    if (refusal === undefined) bySlug.set(feature.slug, name);
    else feature.refusal = refusal;
    features.set(name, feature);
    for (const declared of Object.keys(feature.packages)) {
      if (byPackage.has(declared) || !isPackageName(declared)) continue;
      if (describeForbidden(declared) === undefined) byPackage.set(declared, feature);
    }
  }
  const { importers, platforms } = values;
  return {
    declaration: { features, byPackage, importers, platforms, refusals: source.refusals },
    source,
  };
}

function readAnnexKey(path: string, annex: unknown): ReadSource {
  if (annex === undefined) return { statements: [], refusals: [] };
  if (isObject(annex)) return readSource({ kind: 'package.json', path, written: annex });
  const kind = Array.isArray(annex) ? 'a list' : annex === null ? 'null' : `a ${typeof annex}`;
  const hint = 'declare features as { "features": { NAME: RANGE } }';
  const refusal = refuseSetting(`annex in ${path} is not an object but ${kind}`, hint);
  return { statements: [], refusals: [refusal] };
}

type Listed = [name: string, value: unknown, key: string];

function listOptionalPeers(manifest: JsonObject, features: JsonObject): Listed[] {
  const meta = isObject(manifest.peerDependenciesMeta) ? manifest.peerDependenciesMeta : {};
  const peers = isObject(manifest.peerDependencies) ? manifest.peerDependencies : {};
  return Object.entries(peers)
    .filter(
      ([name]) =>
        (meta[name] as { optional?: unknown } | undefined)?.optional === true &&
        !Object.hasOwn(features, name),
    )
    .map(([name, range]) => [name, range, `peerDependencies[${JSON.stringify(name)}]`]);
}

function findInvalidName(name: string, refuse: Refuse): Refusal | undefined {
  const isValid = name !== '' && name.length <= MAX_LENGTH && !/\p{Cc}/u.test(name);
  return isValid
    ? undefined
    : refuse('', 'has a name that is empty, longer than 200 characters or unprintable');
}

/**
 * Whether an `annex` key that declares no features is invalid: it is not an object, or has a key that this
 * version does not know.
 */
export function isInvalidKey(annex: unknown): boolean {
  if (typeof annex !== 'object' || annex === null || Array.isArray(annex)) return true;
  const { features } = annex as { features?: unknown };
  const isKnown = (key: string): boolean => key === SCHEMA || COLUMNS['package.json'].has(key);
  return Array.isArray(features) || !Object.keys(annex).every(isKnown);
}
