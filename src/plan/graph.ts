/** A package-lock of version 3 as a graph of packages and dependencies. */
import { AnnexError } from '../base/error.ts';
import type { Refusal } from '../types.ts';

/** Kind of a dependency; `declared` is one of the feature itself. */
export type EdgeKind = 'declared' | 'dependency' | 'optional' | 'peer' | 'optional peer';

/** A dependency of one package on another. */
export interface Edge {
  /** Path of the dependent; '' for the feature. */
  from: string;
  name: string;
  range: string;
  kind: EdgeKind;
  /** Path of the dependency, by the rules of `node_modules`; undefined when it is absent. */
  to?: string;
}

/** One package of a lock. */
export interface LockNode {
  /** `node_modules/axios/node_modules/form-data` */
  path: string;
  /** Its real name; the path has the name of an alias. */
  name: string;
  version: string;
  /** Subresource Integrity. */
  integrity?: string;
  /** Address of the tarball. */
  resolved?: string;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  /** `engines.node` */
  engine?: string;
  /** The tarball of the package around it contains it. */
  isBundled: boolean;
  edges: Edge[];
}

/** Every package of a lock, by path. */
export type LockGraph = Map<string, LockNode>;

type Dependencies = Record<string, string>;

interface LockedPackage {
  name?: unknown;
  version?: unknown;
  integrity?: unknown;
  resolved?: unknown;
  link?: unknown;
  inBundle?: unknown;
  os?: unknown;
  cpu?: unknown;
  libc?: unknown;
  engines?: { node?: unknown };
  dependencies?: Dependencies;
  optionalDependencies?: Dependencies;
  peerDependencies?: Dependencies;
  peerDependenciesMeta?: Record<string, { optional?: unknown }>;
}

/**
 * Reads a package-lock.
 *
 * @param lock the parsed file
 * @param refuse composes the refusal from a clause about the file: `lists no packages`
 * @throws AnnexError for any other file
 * @see https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
 */
export function readGraph(lock: unknown, refuse: (problem: string) => Refusal): LockGraph {
  const reject = (problem: string): never => {
    throw new AnnexError(refuse(problem));
  };
  const { lockfileVersion, packages } = (lock ?? {}) as Record<string, unknown>;
  if (lockfileVersion !== 3) {
    reject(`is a package-lock of version ${String(lockfileVersion)}, not of 3`);
  }
  if (typeof packages !== 'object' || packages === null) return reject('lists no packages');
  const graph: LockGraph = new Map();
  for (const [path, locked] of Object.entries(packages as Record<string, LockedPackage>)) {
    if (path === '') continue;
    const name = nameOf(path);
    if (name === undefined) return reject(`lists ${JSON.stringify(path)}, which is not a package`);
    if (typeof locked !== 'object' || locked === null) return reject(`has no data for ${path}`);
    if (locked.link === true) return reject(`lists ${path} as a link`);
    if (typeof locked.version !== 'string') return reject(`has no version for ${path}`);
    graph.set(path, readNode(path, name, locked.version, locked));
  }
  for (const node of graph.values()) {
    for (const edge of node.edges) {
      const to = findDependency(graph, node.path, edge.name);
      if (to !== undefined) edge.to = to;
    }
  }
  return graph;
}

/** Nested packages; names of old packages have capitals. */
const PACKAGE_PATH =
  /^(?!\/)(?:(?:^|\/)node_modules\/(?:@(?!\.)[\w.~-]+\/)?(?!\.|node_modules(?:\/|$))[\w.~!'()*-]+)+$/;

/** Whether a name can be a directory in node_modules; false for a path that leads elsewhere. */
export const isInstallable = (name: string): boolean => nameOf(`node_modules/${name}`) === name;

/** The installed name of a path of a lock; undefined for any other path. */
const nameOf = (path: string): string | undefined =>
  PACKAGE_PATH.test(path) ? installedName(path) : undefined;

/** The name that imports the package at a path of a lock. */
export const installedName = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

function readNode(
  path: string,
  pathName: string,
  version: string,
  locked: LockedPackage,
): LockNode {
  const { name, integrity, resolved, engines, inBundle } = locked;
  const [os, cpu, libc] = [locked.os, locked.cpu, locked.libc].map(readTextList);
  return {
    path,
    name: typeof name === 'string' ? name : pathName,
    version,
    ...(typeof integrity === 'string' && { integrity }),
    ...(typeof resolved === 'string' && { resolved }),
    ...(os && { os }),
    ...(cpu && { cpu }),
    ...(libc && { libc }),
    ...(typeof engines?.node === 'string' && { engine: engines.node }),
    isBundled: inBundle === true,
    edges: readEdges(path, locked),
  };
}

function readTextList(value: unknown): string[] | undefined {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' && value !== '' ? [value] : undefined;
}

/** For a name in several lists the last one counts, as in npm: peer, dependency, optional. */
function readEdges(from: string, locked: LockedPackage): Edge[] {
  const meta = locked.peerDependenciesMeta ?? {};
  const edges = new Map<string, Edge>();
  const add = (ranges: Dependencies | undefined, kindOf: (name: string) => EdgeKind): void => {
    for (const [name, range] of Object.entries(ranges ?? {})) {
      edges.set(name, { from, name, range: String(range), kind: kindOf(name) });
    }
  };
  add(locked.peerDependencies, (name) =>
    meta[name]?.optional === true ? 'optional peer' : 'peer',
  );
  add(locked.dependencies, () => 'dependency');
  add(locked.optionalDependencies, () => 'optional');
  return [...edges.values()];
}

/**
 * The path of a dependency as seen from a package, by the rules of `node_modules`.
 *
 * @param from a path of the graph; '' is its root
 */
export function findDependency(graph: LockGraph, from: string, name: string): string | undefined {
  for (let dir = from; ; dir = dir.slice(0, Math.max(0, dir.lastIndexOf('/node_modules/')))) {
    const path = dir === '' ? `node_modules/${name}` : `${dir}/node_modules/${name}`;
    if (graph.has(path)) return path;
    if (dir === '') return undefined;
  }
}
