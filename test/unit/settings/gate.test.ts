/** The gate as a matrix: every combination of its switches, against what the design says in prose. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { decideGate, type GateFacts } from '../../../src/settings/gate.ts';

type Operator = 'no file' | 'unset' | 'true' | 'false' | 'problem';

/** One cell of the matrix, in the words of the prose. */
interface Cell {
  core: boolean | undefined;
  operator: Operator;
  environment: boolean | undefined;
  isSealed: boolean;
  hasStore: boolean;
  hasProblem: boolean;
}

const switches = [undefined, true, false];
const flags = [false, true];
const operators: Operator[] = ['no file', 'unset', 'true', 'false', 'problem'];

const cells: Cell[] = switches.flatMap((core) =>
  operators.flatMap((operator) =>
    switches.flatMap((environment) =>
      flags.flatMap((isSealed) =>
        flags.flatMap((hasStore) =>
          flags.map((hasProblem) => ({
            core,
            operator,
            environment,
            isSealed,
            hasStore,
            hasProblem,
          })),
        ),
      ),
    ),
  ),
);

const path = '/etc/annex/operator.json';

function toFacts({ core, operator, environment, isSealed, hasStore, hasProblem }: Cell): GateFacts {
  const allowInstalls = { true: true, false: false }[operator as string];
  return {
    core,
    environment,
    isSealed,
    hasStore,
    storeProblem: hasProblem ? 'the store x is not an absolute path' : undefined,
    ...(operator !== 'no file' && {
      operator: {
        path,
        allowInstalls,
        ...(operator === 'problem' && { problem: 'is not valid JSON' }),
      },
    }),
  };
}

/** Whoever forbids installs in a cell, in the groups in which the prose asks: an empty list allows them. */
function listForbidders(cell: Cell): string[] {
  const first = [
    ...(cell.core === false ? ['core'] : []),
    ...(cell.operator === 'problem' ? ['operator problem'] : []),
    ...(cell.operator === 'false' ? ['operator'] : []),
    ...(cell.environment === false ? ['environment'] : []),
  ];
  if (first.length > 0) return first;
  if (cell.isSealed && !cell.hasStore) return ['seal'];
  return cell.hasProblem ? ['store'] : [];
}

const codes: Record<string, string> = {
  core: 'ANNEX_DENIED',
  'operator problem': 'ANNEX_INVALID_CONFIG',
  operator: 'ANNEX_DENIED',
  environment: 'ANNEX_DENIED',
  seal: 'ANNEX_DENIED',
  store: 'ANNEX_STORE_UNUSABLE',
};

const marks: Record<string, RegExp> = {
  core: /the core allows no installs/,
  'operator problem': /operator\.json is not valid JSON/,
  operator: /switched off in .*operator\.json/,
  environment: /ANNEX_ALLOW_INSTALLS/,
  seal: /sealed.*no store/,
  store: /not an absolute path/,
};

test('the matrix has every combination once', () => {
  expect(cells).toHaveLength(3 * 5 * 3 * 2 * 2 * 2);
  expect(new Set(cells.map((cell) => inspect(cell))).size).toBe(cells.length);
});

describe.each(cells)('core $core, operator $operator, environment $environment', (cell) => {
  const { isSealed, hasStore, hasProblem } = cell;
  test(`sealed ${isSealed}, store ${hasStore}, problem ${hasProblem}`, () => {
    const gate = decideGate(toFacts(cell));
    const forbidders = listForbidders(cell);
    expect(gate.isAllowed).toBe(forbidders.length === 0);
    if (gate.isAllowed) return;
    const { code, reason, hint } = gate.refusal;
    const named = forbidders.filter((who) => marks[who]?.test(reason));
    expect(named).toHaveLength(1);
    expect(code).toBe(codes[named[0] ?? '']);
    expect(hint).toMatch(/^(?:set|unset|correct|start) /);
    expect(hint).not.toContain('npm install');
  });
});

test('every switch can only restrict: no value of one makes a denied combination allowed', () => {
  const isAllowed = (cell: Cell): boolean => decideGate(toFacts(cell)).isAllowed;
  for (const cell of cells) {
    if (isAllowed({ ...cell, core: undefined })) continue;
    expect(isAllowed({ ...cell, core: true })).toBe(false);
  }
  for (const cell of cells) {
    if (isAllowed({ ...cell, environment: undefined })) continue;
    expect(isAllowed({ ...cell, environment: true })).toBe(false);
  }
  for (const cell of cells) {
    if (isAllowed({ ...cell, operator: 'no file' })) continue;
    for (const operator of operators) expect(isAllowed({ ...cell, operator })).toBe(false);
  }
  for (const cell of cells) {
    if (isAllowed({ ...cell, isSealed: false })) continue;
    expect(isAllowed({ ...cell, isSealed: true })).toBe(false);
  }
});

test('a process that may start no other has a last word of its own, and never a first', () => {
  for (const cell of cells) {
    const gate = decideGate(toFacts(cell));
    const confined = decideGate({ ...toFacts(cell), isConfined: true });
    if (gate.isAllowed) expect(confined).toMatchObject({ refusal: { code: 'ANNEX_DENIED' } });
    else expect(confined).toEqual(gate);
  }
});
