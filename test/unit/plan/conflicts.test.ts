/** The refusal and the table for dependencies that do not fit. */
import { describe, expect, test } from 'vitest';
import { refuseConflicts, tabulateConflicts } from '../../../src/plan/conflicts.ts';
import type { Conflict } from '../../../src/types.ts';

const nestable: Conflict = {
  dependent: 'openai 5.23.2',
  dependency: 'zod',
  range: '^3.25.0',
  kind: 'peer',
  of: 'core',
  version: '3.22.0',
  isNestable: true,
};
const { isNestable: _, ...met } = nestable;
const missing: Conflict = {
  dependent: 'a 1.0.0',
  dependency: 'b',
  range: '^2',
  kind: 'dependency',
  of: 'closure',
};

describe('a refusal', () => {
  test('names every edge, and keeps them as data', () => {
    const { code, reason, conflicts } = refuseConflicts([nestable, missing], false);
    expect(code).toBe('ANNEX_CONFLICT');
    expect(reason).toBe(
      'openai 5.23.2 wants zod ^3.25.0 (peer), and core ships 3.22.0; a 1.0.0 wants b ^2, and the feature contains none that fits',
    );
    expect(conflicts).toEqual([nestable, missing]);
  });

  test.each<[string, Conflict[], boolean, string]>([
    [
      'nesting, if it helps',
      [nestable],
      false,
      'change zod of the core to a version that fits, or declare "conflicts": "nest" for private copies',
    ],
    [
      'no nesting, if one conflict remains with it',
      [nestable, met],
      false,
      'change zod of the core to a version that fits',
    ],
    ['another range, where core has no part in it', [missing], false, 'declare another range'],
    [
      'another range, if core fits and cannot be shared',
      [{ ...met, isFit: true }],
      false,
      'declare another range',
    ],
    [
      'locking again, if the lock was made for another core',
      [nestable],
      true,
      'change zod of the core to a version that fits, or lock again: npx annex lock',
    ],
  ])('offers %s', (_, conflicts, isLocked, remedy) => {
    expect(refuseConflicts(conflicts, isLocked).hint).toBe(remedy);
  });

  test('says that a version fits and cannot be shared', () => {
    expect(refuseConflicts([{ ...met, isFit: true }], false).reason).toBe(
      'openai 5.23.2 wants zod ^3.25.0 (peer), and core ships 3.22.0, which this feature cannot share',
    );
  });
});

test('the table has a row for every edge, and aligned columns', () => {
  expect(tabulateConflicts([nestable, missing])).toBe(
    [
      'dependent      dependency  range    kind        found',
      'openai 5.23.2  zod         ^3.25.0  peer        core 3.22.0',
      'a 1.0.0        b           ^2       dependency  none',
    ].join('\n'),
  );
});
