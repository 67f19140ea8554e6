/** The id of an entry: equal if and only if the contents are equal. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntryContent } from '../../../src/plan/identity.ts';
import { identify, identifyPlan } from '../../../src/plan/identity.ts';
import { makePlan } from '../../support/lock.ts';

const word = fc.constantFrom('a', 'b');
const content: fc.Arbitrary<EntryContent> = fc.record({
  closure: fc.uniqueArray(
    fc.record(
      { path: word, name: word, version: word, integrity: word },
      { requiredKeys: ['path', 'name', 'version'] },
    ),
    { selector: ({ path }) => path, maxLength: 2 },
  ),
  shared: fc.dictionary(word, fc.record({ ranges: fc.uniqueArray(word), version: word }), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
  private: fc.uniqueArray(word),
  scripts: fc.uniqueArray(word),
});

/** What of it counts, whatever its order. */
const essence = ({ closure, shared, private: own, scripts }: EntryContent) => ({
  closure: new Map(closure.map(({ path, ...rest }) => [path, rest])),
  shared: new Map(Object.entries(shared).map(([name, { ranges }]) => [name, new Set(ranges)])),
  own: new Set(own),
  scripts: new Set(scripts),
});

const isEqual = (a: unknown, b: unknown): boolean => {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
};

describe('an id', () => {
  test('is equal if and only if the content is, in any order', () => {
    fc.assert(
      fc.property(content, content, (one, other) => {
        expect(identify(one) === identify(other)).toBe(isEqual(essence(one), essence(other)));
      }),
      { numRuns: 2000 },
    );
  });

  test('is the same for the same content in another order', () => {
    fc.assert(
      fc.property(content, (one) => {
        const shared = Object.entries(one.shared).map(([name, { ranges }]) => {
          return [name, { version: 'another', ranges: [...ranges].reverse() }] as const;
        });
        const other = {
          closure: [...one.closure].reverse(),
          shared: Object.fromEntries(shared.reverse()),
          private: [...one.private].reverse(),
          scripts: [...one.scripts].reverse(),
        };
        expect(identify(other)).toBe(identify(one));
      }),
    );
  });

  test('is 32 hex digits, and the same in every version of annex', () => {
    const closure = [
      { path: 'node_modules/a', name: 'a', version: '1.0.0', integrity: 'sha512-A' },
    ];
    const shared = { zod: { ranges: ['^3.0.0'], version: '3.22.0' } };
    const id = identify({ closure, shared, private: ['a'], scripts: [] });
    expect(id).toBe('b35eeedb90d2f453e2b6db557f3d1894');
  });

  test('changes with the platform only if the installed packages do', () => {
    const made = makePlan({
      lock: {
        feature: { version: '1.0.0', optionalDependencies: { mac: '*' } },
        mac: { version: '1.0.0', os: ['darwin'] },
      },
    });
    const [mac, glibc, musl] = ['darwin-arm64', 'linux-x64-glibc', 'linux-x64-musl'].map((name) =>
      identifyPlan(made, name, []),
    );
    expect(glibc).toBe(musl);
    expect(glibc).not.toBe(mac);
  });

  test('does not depend on the running Node, which is unknown while locking', () => {
    const lock = (node: string) => ({
      feature: { version: '1.0.0', optionalDependencies: { a: '*' } },
      a: { version: '1.0.0', engines: { node } },
    });
    const ids = ['<1', '*'].map((node) => identifyPlan(makePlan({ lock: lock(node) }), 'any', []));
    expect(ids[0]).toBe(ids[1]);
  });
});
