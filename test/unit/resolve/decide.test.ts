/** The decision table: row by row from a data file, then over every combination of facts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Asked, type Decision, decide, type Evidence } from '../../../src/resolve/decide.ts';

interface Row {
  title: string;
  asked: Partial<Asked>;
  evidence: Evidence;
  decision: Decision;
}

/** A declared bare specifier in a file of the core: what a row says differs from this. */
const usual: Asked = {
  form: 'bare',
  hasPaths: false,
  isDeclared: true,
  zone: 'core',
  isShared: false,
};
const file = new URL('../../data/decide.json', import.meta.url);
const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[];

test.each(rows)('$title', ({ asked, evidence, decision }) => {
  expect(decide({ ...usual, ...asked }, evidence)).toEqual(decision);
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
const everyAsked = combine<Asked>({
  form: ['bare', 'free', 'other'],
  hasPaths: boolean,
  isDeclared: boolean,
  zone: ['core', 'dependency', 'importer', 'entry', 'outside'],
  isShared: boolean,
});
type Full = Required<Evidence>;
const everyEvidence = combine<Full>({
  node: ['found', 'found outside', 'failed'],
  isOwned: [false, true, 'for require'],
  isInRoot: boolean,
  hasEntry: boolean,
  mayInstall: boolean,
  hasTried: boolean,
});
const cases = everyAsked.flatMap((asked) =>
  everyEvidence.map((evidence) => ({ asked, evidence, decision: decide(asked, evidence) })),
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
  test('all facts known, there is a decision', () => {
    expect(cases.length).toBe(120 * 144);
    expect(cases.filter(({ decision }) => 'look' in decision)).toEqual([]);
  });

  test('G1: no entry answers, and nothing installs, for what Node finds or core owns', () => {
    for (const { evidence } of having('from entry', 'install')) {
      expect(evidence).toMatchObject({ node: 'failed', isOwned: false });
    }
  });

  test('G3: no entry answers, and nothing installs, for what is not declared', () => {
    for (const { asked } of having('from entry', 'install', 'explain')) {
      expect(asked).toMatchObject({ isDeclared: true, form: 'bare', hasPaths: false });
    }
  });

  test('no entry answers, and nothing installs, for entries and for files outside', () => {
    for (const { asked } of having('from entry', 'install', 'explain')) {
      expect(['core', 'dependency', 'importer']).toContain(asked.zone);
    }
  });

  test('an install starts only when it may, once, and when no entry stands', () => {
    for (const { evidence } of having('install')) {
      expect(evidence).toMatchObject({ hasEntry: false, mayInstall: true, hasTried: false });
    }
  });

  test('an error is explained only when no entry stands', () => {
    for (const { evidence } of having('explain')) {
      expect(evidence.node).toBe('failed');
      expect(evidence.isOwned === 'for require' || !evidence.hasEntry).toBe(true);
      expect(evidence.isOwned).not.toBe(true);
    }
  });

  test('whoever resolves as the core root is an entry that shares the name, or an importer that Node failed', () => {
    for (const { asked, evidence } of having('as core root')) {
      if (asked.zone === 'entry') {
        expect(asked.isShared).toBe(true);
      } else {
        expect(asked).toMatchObject({ zone: 'importer', isDeclared: true });
        expect(evidence).toMatchObject({ node: 'failed', isOwned: false, isInRoot: true });
      }
    }
  });

  test('what Node found is dropped only for an entry that would leave itself', () => {
    for (const { asked, evidence } of having('not found')) {
      expect(asked.zone).toBe('entry');
      expect(evidence.node).toBe('found outside');
    }
  });

  test('looking up one fact after the other ends in the decision of all facts', () => {
    for (const { asked, evidence, decision } of cases) {
      const known: Evidence = { hasTried: evidence.hasTried };
      let step = decide(asked, known);
      for (let count = 0; 'look' in step; count += 1) {
        expect(count).toBeLessThan(6);
        expect(known).not.toHaveProperty(step.look);
        Object.assign(known, { [step.look]: evidence[step.look] });
        step = decide(asked, known);
      }
      expect(step).toEqual(decision);
    }
  });

  test('what is decided without asking Node is decided without looking at anything', () => {
    for (const { asked, decision } of cases) {
      const [first, second] = [decide(asked, {}), decision];
      if ('look' in first) expect(first.look).toBe('node');
      else expect(first).toEqual(second);
    }
  });
});
