/** Compares two locks of a feature by what they install. */

import { installedName } from '../plan/graph.ts';
import type { SharedPackage } from '../plan/plan.ts';
import type { LockedPackages } from '../plan/project.ts';

/** A lock, as far as a difference shows it. */
export interface LockSide {
  /** Packages that are taken from core. */
  shared: Record<string, Pick<SharedPackage, 'version'>>;
  /** The `packages` of the package-lock. */
  packages: LockedPackages;
  /** Recorded places of tarballs, by the path of the package; missing where they are not compared. */
  places?: Record<string, { place?: string }>;
}

/** A package of a lock. Of a shared package only the version counts: core ships the rest. */
export interface ComparedPackage {
  version: string;
  isShared: boolean;
  /** As its package.json states it; null when the lock has none. */
  license: string | null;
  hasInstallScript: boolean;
  /** The host that serves it; null for the configured registry. */
  host: string | null;
  /** Digest of its tarball. */
  integrity: string | null;
  /** The recorded place of its tarball; null if none is recorded. */
  place: string | null;
}

/** A package with its name. */
export interface NamedPackage extends ComparedPackage {
  name: string;
}

/** A package that both locks have, and that is not the same in them. */
export interface ChangedPackage {
  name: string;
  /** Whether the feature declares it. */
  isDeclared: boolean;
  from: ComparedPackage;
  to: ComparedPackage;
}

/** What a new lock changes. Packages are compared by name and version, wherever they are nested. */
export interface LockDiff {
  added: NamedPackage[];
  removed: NamedPackage[];
  changed: ChangedPackage[];
  /** Packages with an install script, whose name had none before. */
  newScripts: string[];
  /** Licences that no package had before. */
  newLicenses: string[];
  /** Changed packages that come from another host, or had a recorded place and have none, or the reverse. */
  newSources: string[];
}

/**
 * Compares two locks of a feature.
 *
 * @param declared names of the declared packages
 * @example diffLocks(before, after, ['exa-js']).changed[0]?.to.version // '1.10.3'
 */
export function diffLocks(before: LockSide, after: LockSide, declared: string[]): LockDiff {
  const [old, now] = [listPackages(before), listPackages(after)];
  const diff: LockDiff = {
    added: [],
    removed: [],
    changed: [],
    newScripts: listNew(old, now, ({ name, hasInstallScript }) => (hasInstallScript ? name : null)),
    newLicenses: listNew(old, now, ({ license }) => license),
    newSources: [],
  };
  for (const name of sortUnique([...old, ...now].map((one) => one.name))) {
    const [left, right] = [old, now].map((all) => all.filter((one) => one.name === name));
    const gone = subtract(left ?? [], right ?? []);
    for (const to of subtract(right ?? [], left ?? [])) {
      const same = gone.findIndex(({ isShared }) => isShared === to.isShared);
      const [from] = gone.splice(Math.max(0, same), 1);
      if (from === undefined) diff.added.push(to);
      else diff.changed.push({ name, isDeclared: declared.includes(name), from, to });
    }
    diff.removed.push(...gone);
  }
  const moved = diff.changed.filter(({ from, to }) => isMoved(from, to));
  return { ...diff, newSources: sortUnique(moved.map(({ name }) => name)) };
}

/** Places contain the version, so that only their presence can be compared. */
const isMoved = (from: ComparedPackage, to: ComparedPackage): boolean =>
  !from.isShared &&
  !to.isShared &&
  (from.host !== to.host || (from.place === null) !== (to.place === null));

interface LockedFields {
  name?: string;
  version?: string;
  license?: unknown;
  hasInstallScript?: boolean;
  resolved?: string;
  integrity?: string;
}

function listPackages({ shared, packages, places = {} }: LockSide): NamedPackage[] {
  const none = {
    license: null,
    hasInstallScript: false,
    host: null,
    integrity: null,
    place: null,
  };
  const fromCore = Object.entries(shared).map(([name, { version }]) => ({
    name,
    version,
    isShared: true,
    ...none,
  }));
  const own = Object.entries(packages).flatMap(([path, locked]): NamedPackage[] => {
    const installed = installedName(path);
    const isCore = path === `node_modules/${installed}` && Object.hasOwn(shared, installed);
    if (path === '' || isCore) return [];
    const { name = installed, version = '', license, resolved } = locked as LockedFields;
    const { hasInstallScript = false, integrity = null } = locked as LockedFields;
    return [
      {
        name,
        version,
        isShared: false,
        license: typeof license === 'string' ? license : null,
        hasInstallScript,
        host: resolved !== undefined && URL.canParse(resolved) ? new URL(resolved).host : null,
        integrity,
        place: places[path]?.place ?? null,
      },
    ];
  });
  const unique = new Map([...fromCore, ...own].map((one) => [keyOf(one), one]));
  return [...unique.values()];
}

/** The place is left out: it depends on npm's settings too, and the digest says whether the bytes are the same. */
const keyOf = ({ name, version, isShared, ...rest }: NamedPackage): string =>
  JSON.stringify([
    name,
    version,
    isShared,
    rest.license,
    rest.hasInstallScript,
    rest.host,
    rest.integrity,
  ]);

function subtract(all: NamedPackage[], others: NamedPackage[]): NamedPackage[] {
  const known = new Set(others.map(keyOf));
  return all.filter((one) => !known.has(keyOf(one)));
}

/** Values of the packages of a lock that no package of the old one has. */
function listNew(
  old: NamedPackage[],
  now: NamedPackage[],
  pick: (one: NamedPackage) => string | null,
): string[] {
  const known = new Set(old.map(pick));
  return sortUnique(now.map(pick).flatMap((value) => value ?? [])).filter(
    (value) => !known.has(value),
  );
}

const sortUnique = (texts: string[]): string[] => [...new Set(texts)].sort();
