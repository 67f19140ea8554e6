/** Properties of every plan, over random closures and cores. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { satisfies } from '../../../src/base/semver.ts';
import {
  type Edge,
  findDependency,
  installedName,
  type LockGraph,
  readGraph,
} from '../../../src/plan/graph.ts';
import { type Plan, plan } from '../../../src/plan/plan.ts';
import { select } from '../../../src/plan/platform.ts';
import { composeProject } from '../../../src/plan/project.ts';
import { answers, situation } from '../../support/closures.ts';
import {
  makeGraph,
  makeInventory,
  makeLock,
  makePlan,
  RANGES,
  refuseLock,
  type Situation,
} from '../../support/lock.ts';

type Whole = Required<Situation>;

const RUNS = { numRuns: 500 };
const always = (check: (situation: Whole) => void) =>
  fc.assert(fc.property(situation, check), RUNS);

const graphOf = ({ lock }: Whole): LockGraph => makeGraph(lock);

/** The feature's own edges, and those of everything that the entry holds. */
function edgesOf({ packages }: Whole, graph: LockGraph, paths: Iterable<string>): Edge[] {
  const declared = Object.entries(packages).map(([name, range]): Edge => {
    const to = findDependency(graph, '', name);
    return { from: '', name, range, kind: 'declared', ...(to !== undefined && { to }) };
  });
  return [...declared, ...[...paths].flatMap((path) => graph.get(path)?.edges ?? [])];
}

/** What an entry would hold if these names were taken from core. */
function walk(whole: Whole, graph: LockGraph, taken: Set<string>) {
  const held = new Set<string>();
  const bound = new Set<string>();
  const go = (edge: Edge, isBound: boolean, seen: Set<string>): void => {
    const node = graph.get(edge.to ?? '');
    if (edge.kind === 'optional peer') return;
    if (isBound || node?.isBundled) bound.add(edge.name);
    if (node === undefined || taken.has(edge.name)) return;
    held.add(node.path);
    const key = `${node.path}|${isBound}`;
    if (seen.has(key)) return;
    seen.add(key);
    for (const next of node.edges) go(next, isBound || whole.scripts.includes(node.name), seen);
  };
  const seen = new Set<string>();
  for (const edge of edgesOf(whole, graph, [])) go(edge, false, seen);
  return { held, bound, edges: edgesOf(whole, graph, held) };
}

/** Whether these names, of those that core ships, may all be taken from core. */
function isAllowed(whole: Whole, graph: LockGraph, taken: Set<string>): boolean {
  const inventory = makeInventory(whole.core);
  const { held, bound, edges } = walk(whole, graph, taken);
  const names = new Set([...held].map(installedName));
  const reaches = (name: string, seen = new Set([name])): boolean =>
    (inventory.get(name)?.peers ?? []).some((peer) => {
      if (inventory.has(peer) && names.has(peer)) return true;
      return !seen.has(peer) && reaches(peer, seen.add(peer));
    });
  return edges.every(({ name, range }) => {
    if (!taken.has(name)) return true;
    const version = inventory.get(name)?.version ?? '';
    return satisfies(version, range) && !bound.has(name) && !reaches(name);
  });
}

const subsets = (names: string[]): Set<string>[] =>
  Array.from(
    { length: 2 ** names.length },
    (_, bits) => new Set(names.filter((__, at) => (bits >> at) % 2 === 1)),
  );

const shuffle = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).reverse());

const listConflicts = ({ conflicts }: Plan): string[] =>
  conflicts.map(({ dependent, dependency, range }) => `${dependent} > ${dependency} ${range}`);

describe('every plan', () => {
  test('satisfies every edge, or lists it', () => {
    always((whole) => {
      const made = makePlan(whole);
      const graph = graphOf(whole);
      const inventory = makeInventory(whole.core);
      const listed = new Set(listConflicts(made));
      for (const edge of edgesOf(whole, graph, made.nodes.keys())) {
        const shared = made.shared[edge.name];
        if (shared !== undefined) {
          expect(shared.ranges).toContain(edge.range);
          expect(shared.version).toBe(inventory.get(edge.name)?.version);
          expect(satisfies(shared.version, edge.range)).toBe(true);
          continue;
        }
        const from = graph.get(edge.from);
        const dependent = from === undefined ? 'the feature' : `${from.name} ${from.version}`;
        if (listed.has(`${dependent} > ${edge.name} ${edge.range}`)) continue;
        const isThere = edge.to !== undefined && made.nodes.has(edge.to);
        const isNeedless = edge.kind === 'optional' || edge.kind === 'optional peer';
        expect(isThere ? answers(graph, edge) : isNeedless, JSON.stringify(edge)).toBe(true);
      }
    });
  });

  test('has every name wholly shared or wholly private', () => {
    always((whole) => {
      const made = makePlan(whole);
      expect(made.private.filter((name) => made.shared[name] !== undefined)).toEqual([]);
      const held = [...made.nodes.keys()].map(installedName);
      expect(made.private).toEqual([...new Set(held)].sort());
    });
  });

  test('shares all that may be shared, and holds exactly the other needed packages', () => {
    always((whole) => {
      const made = makePlan(whole);
      const graph = graphOf(whole);
      const names = Object.keys(whole.core).filter((name) => !whole.unshared.includes(name));
      const allowed = subsets(whole.share ? names : []).filter((taken) =>
        isAllowed(whole, graph, taken),
      );
      const most = new Set(allowed.flatMap((taken) => [...taken]));
      expect(isAllowed(whole, graph, most)).toBe(true);
      const { held, edges } = walk(whole, graph, most);
      const asked = new Set(edges.map(({ name }) => name));
      expect(new Set(Object.keys(made.shared))).toEqual(
        new Set([...most].filter((name) => asked.has(name))),
      );
      expect([...made.nodes.keys()]).toEqual([...held].sort());
    });
  });

  test('holds no nested package without its parent', () => {
    always((whole) => {
      const { nodes } = makePlan(whole);
      for (const path of nodes.keys()) {
        const parent = path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/')));
        expect(parent === '' || nodes.has(parent) || !graphOf(whole).has(parent)).toBe(true);
      }
    });
  });

  test('lists no edge under "nest" that it does not list under "fail"', () => {
    always((whole) => {
      const failing = new Set(listConflicts(makePlan({ ...whole, conflicts: 'fail' })));
      const nesting = listConflicts(makePlan({ ...whole, conflicts: 'nest' }));
      expect(nesting.filter((conflict) => !failing.has(conflict))).toEqual([]);
    });
  });

  test('has no conflict left that "nest" would have helped with', () => {
    always((whole) => {
      const { conflicts } = makePlan({ ...whole, conflicts: 'nest' });
      expect(conflicts.filter(({ isNestable }) => isNestable)).toEqual([]);
    });
  });

  test('is the same for any order of keys', () => {
    always((whole) => {
      const lock = Object.entries(whole.lock).map(([place, locked]) => [
        place,
        Object.fromEntries(
          Object.entries(locked).map(([key, value]) => [
            key,
            Array.isArray(value) || typeof value !== 'object' ? value : shuffle({ ...value }),
          ]),
        ),
      ]);
      const other = {
        ...whole,
        lock: shuffle(Object.fromEntries(lock) as Whole['lock']),
        core: shuffle(whole.core),
        packages: shuffle(whole.packages),
      };
      expect(JSON.stringify(describePlan(makePlan(other)))).toBe(
        JSON.stringify(describePlan(makePlan(whole))),
      );
    });
  });

  test('planned again from its own project is the same', () => {
    always((whole) => {
      const made = makePlan(whole);
      const known: Record<string, object> = { ...makeLock(whole.lock).packages };
      for (const [name, { version }] of Object.entries(made.shared))
        known[`node_modules/${name}`] ??= { version };
      const { lock } = composeProject(made, known, { packages: whole.packages, slug: 'feature' });
      const graph = readGraph(JSON.parse(JSON.stringify(lock)), refuseLock);
      const inventory = makeInventory(whole.core);
      const again = plan({ ...whole, graph, inventory }, RANGES);
      expect(describePlan(again)).toEqual(describePlan(made));
    });
  });
});

const describePlan = ({ nodes, edges, shared, private: own, conflicts }: Plan) => ({
  nodes: [...nodes.keys()],
  edges: edges.map(({ from, name, range, kind, to }) => [from, name, range, kind, to]),
  shared,
  own,
  conflicts,
});

describe('every selection', () => {
  const PLATFORM = { os: 'linux', cpu: 'x64', libc: 'glibc' };
  const isOld = (range: string) => range !== '<10';

  test('has the needed packages, and each optional one whose whole closure fits', () => {
    always((whole) => {
      const made = makePlan(whole);
      const { nodes, unsupported } = select(made, PLATFORM, isOld);
      const selected = new Set(nodes.map(({ path }) => path));
      const needed = (from: string, all = new Set<string>()): Set<string> => {
        for (const { from: asking, to = '', kind } of made.edges) {
          const isNeed = kind !== 'optional' && kind !== 'optional peer';
          if (asking === from && isNeed && !all.has(to)) needed(to, all.add(to));
        }
        return all;
      };
      const base = needed('');
      const isUnfit = (path: string) => made.nodes.get(path)?.os !== undefined;
      const isWrong = (path: string) => isUnfit(path) || made.nodes.get(path)?.engine !== undefined;
      expect(unsupported === undefined).toBe(![...base].some(isUnfit));
      for (const path of base) expect(selected).toContain(path);
      for (const { from, to = '', kind } of made.edges) {
        if (from !== '' && !selected.has(from)) continue;
        if (kind === 'optional peer') continue;
        if (kind !== 'optional') expect(selected).toContain(to);
        const all = [to, ...needed(to)].filter((path) => !base.has(path));
        if (!selected.has(to)) expect(all.some(isWrong)).toBe(true);
        else expect(all.some(isWrong)).toBe(false);
      }
    });
  });
});
