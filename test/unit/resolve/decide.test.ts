/** The decision table: row by row from a data file, then over every combination of facts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type Decision,
  decide,
  type Evidence,
  type RequestFacts,
} from '../../../src/resolve/decide.ts';

interface Row {
  title: string;
  facts: Partial<RequestFacts>;
  evidence: Evidence;
  decision: Decision;
}

/** A declared bare specifier in a file of the core; a row states how it differs. */
const usual: RequestFacts = {
  form: 'bare',
  hasPaths: false,
  isDeclared: true,
  zone: 'core',
  isShared: false,
};
const file = new URL('../../data/decide.json', import.meta.url);
const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[];

test.each(rows)('$title', ({ facts, evidence, decision }) => {
  expect(decide({ ...usual, ...facts }, evidence)).toEqual(decision);
});

test('the table has a row for each rule', () => {
  const rules = rows.flatMap(({ decision }) => ('rule' in decision ? [decision.rule] : []));
  expect([...new Set(rules)].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

function combine<T extends object>(choices: { [K in keyof T]-?: readonly T[K][] }): T[] {
  const keys = Object.keys(choices) as (keyof T)[];
  return keys.reduce<T[]>(
    (all, key) => all.flatMap((one) => choices[key].map((value) => ({ ...one, [key]: value }))),
    [{} as T],
  );
}

const boolean = [false, true] as const;
const everyRequest = combine<RequestFacts>({
  form: ['bare', 'free', 'other'],
  hasPaths: boolean,
  isDeclared: boolean,
  zone: ['core', 'dependency', 'importer', 'entry', 'outside'],
  isShared: boolean,
});
type Full = Required<Evidence>;
const everyEvidence = combine<Full>({
  nodeResult: ['found', 'found outside', 'failed'],
  isOwned: [false, true, 'for require'],
  isInRoot: boolean,
  hasEntry: boolean,
  mayInstall: boolean,
  hasTried: boolean,
});
const cases = everyRequest.flatMap((facts) =>
  everyEvidence.map((evidence) => ({ facts, evidence, decision: decide(facts, evidence) })),
);
type Case = (typeof cases)[number];

/** The cases that end in one of these verdicts; there must be some, or a claim about them is empty. */
function having(...verdicts: string[]): Case[] {
  const found = cases.filter(
    ({ decision }) => 'verdict' in decision && verdicts.includes(decision.verdict),
  );
  expect(found.length).toBeGreaterThan(0);
  return found;
}

describe('over every combination of facts', () => {
  test('with all facts, there is a decision', () => {
    expect(cases.length).toBe(120 * 144);
    expect(cases.filter(({ decision }) => 'needs' in decision)).toEqual([]);
  });

  test('G1: no entry is used, and nothing is installed, when Node finds the package or the core owns the name', () => {
    for (const { evidence } of having('from entry', 'install')) {
      expect(evidence).toMatchObject({ nodeResult: 'failed', isOwned: false });
    }
  });

  test('G3: no entry is used, and nothing is installed, for a package that is not declared', () => {
    for (const { facts } of having('from entry', 'install', 'explain')) {
      expect(facts).toMatchObject({ isDeclared: true, form: 'bare', hasPaths: false });
    }
  });

  test('no entry is used, and nothing is installed, for files in entries and outside', () => {
    for (const { facts } of having('from entry', 'install', 'explain')) {
      expect(['core', 'dependency', 'importer']).toContain(facts.zone);
    }
  });

  test('an install starts only when allowed, once, and without an entry', () => {
    for (const { evidence } of having('install')) {
      expect(evidence).toMatchObject({ hasEntry: false, mayInstall: true, hasTried: false });
    }
  });

  test('an error is explained only without an entry', () => {
    for (const { evidence } of having('explain')) {
      expect(evidence.nodeResult).toBe('failed');
      expect(evidence.isOwned === 'for require' || !evidence.hasEntry).toBe(true);
      expect(evidence.isOwned).not.toBe(true);
    }
  });

  test('a request resolves from the core root only for an entry that shares the name, or an importer for which Node failed', () => {
    for (const { facts, evidence } of having('as core root')) {
      if (facts.zone === 'entry') {
        expect(facts.isShared).toBe(true);
      } else {
        expect(facts).toMatchObject({ zone: 'importer', isDeclared: true });
        expect(evidence).toMatchObject({ nodeResult: 'failed', isOwned: false, isInRoot: true });
      }
    }
  });

  test("Node's result is rejected only for an entry, and only if it is outside of it", () => {
    for (const { facts, evidence } of having('not found')) {
      expect(facts.zone).toBe('entry');
      expect(evidence.nodeResult).toBe('found outside');
    }
  });

  test('collecting one fact after the other leads to the decision of all facts', () => {
    for (const { facts, evidence, decision } of cases) {
      const known: Evidence = { hasTried: evidence.hasTried };
      let step = decide(facts, known);
      for (let count = 0; 'needs' in step; count += 1) {
        expect(count).toBeLessThan(6);
        expect(known).not.toHaveProperty(step.needs);
        Object.assign(known, { [step.needs]: evidence[step.needs] });
        step = decide(facts, known);
      }
      expect(step).toEqual(decision);
    }
  });

  test("a decision without Node's result needs no fact", () => {
    for (const { facts, decision } of cases) {
      const [first, second] = [decide(facts, {}), decision];
      if ('needs' in first) expect(first.needs).toBe('nodeResult');
      else expect(first).toEqual(second);
    }
  });
});
