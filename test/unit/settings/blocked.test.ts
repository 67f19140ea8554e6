/** Lists of blocked versions: how they are parsed, what an invalid item means, and which versions they cover. */
import { describe, expect, test } from 'vitest';
import { satisfiesWithPrereleases } from '../../../src/base/semver.ts';
import {
  describeBlocked,
  findBlocked,
  parseBlocked,
  refuseBlocked,
} from '../../../src/settings/blocked.ts';

/** Parses a list of the operator's file. */
function read(value: unknown) {
  const reports: { index: number; reason: string; isDropped: boolean }[] = [];
  const blocked = parseBlocked(value, {
    by: '/etc/annex.json',
    report: (index, reason, isDropped) => reports.push({ index, reason, isDropped }),
  });
  return { blocked, reports };
}

/** Whether a version is blocked by a list. */
const isCovered = (list: unknown, name: string, version: string): boolean =>
  findBlocked([{ name, version }], read(list).blocked ?? [], satisfiesWithPrereleases) !==
  undefined;

describe('an item', () => {
  test.each<[unknown, string, string]>([
    ['axios', 'axios', '*'],
    ['axios@1.7.2', 'axios', '1.7.2'],
    ['axios@<1.7.4', 'axios', '<1.7.4'],
    [' axios@ <1.7.4 || 2.x ', 'axios', '<1.7.4 || 2.x'],
    ['@scope/name', '@scope/name', '*'],
    ['@scope/name@^2', '@scope/name', '^2'],
    ['JSONStream@*', 'JSONStream', '*'],
    ['discord.js', 'discord.js', '*'],
    [{ spec: 'axios@1' }, 'axios', '1'],
  ])('%j is %s in %s', (item, name, range) => {
    const { blocked, reports } = read([item]);
    expect(blocked).toMatchObject([{ name, range, by: '/etc/annex.json' }]);
    expect(reports).toEqual([]);
  });

  test('keeps its reason and its spelling', () => {
    const { blocked } = read([{ spec: ' axios@<1.7.4 ', reason: 'CVE-2024-39338' }]);
    expect(blocked).toEqual([
      {
        name: 'axios',
        range: '<1.7.4',
        spec: 'axios@<1.7.4',
        reason: 'CVE-2024-39338',
        by: '/etc/annex.json',
      },
    ]);
  });

  test.each([
    'axios@',
    'axios@latest',
    'axios@npm:other@1',
    'axios@1.2.3.4',
    `axios@${'1'.repeat(201)}`,
  ])('%j has an invalid range: every version is blocked, and it is reported', (item) => {
    const { blocked, reports } = read(['good@1', item]);
    expect(blocked).toMatchObject([{ name: 'good' }, { name: 'axios', range: '*' }]);
    const reason = 'has an invalid range: every version of axios is blocked';
    expect(reports).toEqual([{ index: 1, reason, isDropped: false }]);
  });

  test.each<[unknown]>([[{ spec: 'axios@1', reason: 7 }], [{ spec: 'axios@1', until: 'June' }]])(
    '%j counts, and its other fields are reported',
    (item) => {
      const { blocked, reports } = read([item]);
      expect(blocked).toEqual([
        { name: 'axios', range: '1', spec: 'axios@1', by: '/etc/annex.json' },
      ]);
      expect(reports).toMatchObject([{ index: 0, isDropped: false }]);
    },
  );

  test.each<[unknown]>([
    [''],
    [' '],
    ['*'],
    ['@'],
    ['@1.0.0'],
    ['@scope'],
    ['a b'],
    ['npm:axios@1'],
    ['../x'],
    [1],
    [null],
    [['axios']],
    [{}],
    [{ reason: 'why' }],
    [{ spec: 1 }],
  ])('%j is dropped; the others count', (item) => {
    const { blocked, reports } = read([item, 'axios']);
    expect(blocked).toMatchObject([{ name: 'axios' }]);
    expect(reports).toMatchObject([{ index: 0, isDropped: true }]);
  });

  test.each<[unknown]>([['axios'], [{}], [null], [true]])('%j is not a list', (value) => {
    expect(read(value)).toEqual({ blocked: undefined, reports: [] });
  });
});

describe('a version', () => {
  test.each<[string, string, boolean]>([
    ['axios', '0.0.1', true],
    ['axios', '9.9.9-rc.1', true],
    ['axios', 'no version', true],
    ['axios@1.7.2', '1.7.2', true],
    ['axios@1.7.2', '1.7.3', false],
    ['axios@1.7.2', '1.7.2-rc.1', false],
    ['axios@<1.7.4', '1.7.3', true],
    ['axios@<1.7.4', '1.7.4', false],
    ['axios@<1.7.4', '1.7.4-beta.1', true],
    ['axios@<1.7.4', '1.6.0-beta.1', true],
    ['axios@^1.0.0', '1.5.0-rc.1', true],
    ['axios@^1.0.0', '2.0.0-rc.1', false],
    ['axios@1.x', '1.9.9', true],
    ['axios@1.2.3 || >=2', '2.0.0', true],
    ['axios@1.2.3 || >=2', '1.2.4', false],
    ['axios@<1', 'no version', false],
  ])('%s covers axios %s: %s', (spec, version, isBlocked) => {
    expect(isCovered([spec], 'axios', version)).toBe(isBlocked);
  });

  test('of another package is not covered, whatever its name begins or ends with', () => {
    for (const name of ['axios-retry', '@scope/axios', 'Axios', 'axio']) {
      expect(isCovered(['axios'], name, '1.0.0')).toBe(false);
    }
  });

  test('an empty list does not read the packages', () => {
    const packages = {
      [Symbol.iterator](): Iterator<{ name: string; version: string }> {
        throw new Error('read');
      },
    };
    expect(findBlocked(packages, [], satisfiesWithPrereleases)).toBeUndefined();
  });
});

describe('the refusal', () => {
  const found = { name: 'axios', version: '1.7.2', spec: 'axios@<1.7.4', by: '/etc/annex.json' };

  test('names package, version, spec, reason and list', () => {
    expect(describeBlocked(found)).toBe('axios 1.7.2 is blocked by /etc/annex.json (axios@<1.7.4)');
    expect(describeBlocked({ ...found, reason: 'CVE-2024-39338. ' })).toBe(
      'axios 1.7.2 is blocked by /etc/annex.json (axios@<1.7.4): CVE-2024-39338',
    );
  });

  test('is a denial, with a hint', () => {
    expect(refuseBlocked(found, 'declare another range', true)).toEqual({
      code: 'ANNEX_DENIED',
      reason: describeBlocked(found),
      hint: 'declare another range, or remove that item from /etc/annex.json',
      blocked: found,
    });
    expect(refuseBlocked(found, 'declare another range', false).hint).toBe('declare another range');
  });
});
