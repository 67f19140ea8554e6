/** The gate as a matrix: every combination of its switches, against the rules in prose. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { decideGate, type GateFacts } from '../../../src/settings/gate.ts';
import { refuseSetting } from '../../../src/settings/parse.ts';
import { type ReadSource, readSource, resolveSettings } from '../../../src/settings/sources.ts';

type Operator = 'no file' | 'unset' | 'true' | 'false' | 'unreadable';

/** One cell of the matrix. */
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
const operators: Operator[] = ['no file', 'unset', 'true', 'false', 'unreadable'];

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
const unreadable = refuseSetting(`the operator's file ${path} is not valid JSON`, 'correct it');

function readOperator(operator: Operator): ReadSource {
  if (operator === 'unreadable') {
    return { statements: [], refusals: [unreadable], closing: unreadable };
  }
  const allowInstalls = { true: true, false: false }[operator as string];
  return readSource({ kind: 'operator file', path, written: { allowInstalls } });
}

/** The decision of the gate in a cell. */
function decide(cell: Cell, facts: GateFacts = {}) {
  const { core, operator, environment, isSealed, hasStore, hasProblem } = cell;
  const variables = {
    ANNEX_ALLOW_INSTALLS: environment,
    ANNEX_SEALED: isSealed,
    ANNEX_STORE: hasStore ? '/store' : '',
  };
  const sources = [
    readSource({ kind: 'environment', written: variables }),
    ...(operator === 'no file' ? [] : [readOperator(operator)]),
    readSource({
      kind: 'package.json',
      path: '/app/package.json',
      written: { allowInstalls: core },
    }),
  ];
  const storeProblem = hasProblem ? 'the store x is not an absolute path' : undefined;
  return decideGate(resolveSettings(sources), sources, { storeProblem, ...facts });
}

/** Every party that forbids installs in a cell, in the order of the prose; none: they are allowed. */
function listForbidders(cell: Cell): string[] {
  const first = [
    ...(cell.core === false ? ['core'] : []),
    ...(cell.operator === 'unreadable' ? ['operator problem'] : []),
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
  core: /switched off by annex\.allowInstalls in \/app\/package\.json$/,
  'operator problem': /operator\.json is not valid JSON/,
  operator: /switched off by allowInstalls in .*operator\.json$/,
  environment: /switched off by ANNEX_ALLOW_INSTALLS$/,
  seal: /sealed.*no store/,
  store: /not an absolute path/,
};

test('the matrix has every combination once', () => {
  expect(cells).toHaveLength(3 * 5 * 3 * 2 * 2 * 2);
  expect(new Set(cells.map((cell) => inspect(cell))).size).toBe(cells.length);
});

test('every cell: closed by the first party that forbids, with its code and a remedy', () => {
  for (const cell of cells) {
    const gate = decide(cell);
    const forbidders = listForbidders(cell);
    expect({ cell, isClosed: gate !== undefined }).toEqual({
      cell,
      isClosed: forbidders.length > 0,
    });
    if (gate === undefined) continue;
    const named = forbidders.filter((party) => marks[party]?.test(gate.reason));
    expect({ cell, named }).toEqual({ cell, named: [expect.any(String)] });
    expect(gate.code).toBe(codes[named[0] ?? '']);
    expect(gate.hint).toMatch(/^(?:set|unset|correct|start) /);
    expect(gate.hint).not.toContain('npm install');
  }
});

test('every switch can only restrict: no value of one makes a denied combination allowed', () => {
  const isAllowed = (cell: Cell): boolean => decide(cell) === undefined;
  const restrictions: [without: Partial<Cell>, values: Partial<Cell>[]][] = [
    [{ core: undefined }, [{ core: true }]],
    [{ environment: undefined }, [{ environment: true }]],
    [{ operator: 'no file' }, operators.map((operator) => ({ operator }))],
    [{ isSealed: false }, [{ isSealed: true }]],
  ];
  for (const cell of cells) {
    for (const [without, values] of restrictions) {
      if (isAllowed({ ...cell, ...without })) continue;
      for (const value of values) expect(isAllowed({ ...cell, ...value })).toBe(false);
    }
  }
});

test('a process that may not start another is always the last reason', () => {
  for (const cell of cells) {
    const gate = decide(cell);
    const confined = decide(cell, { isConfined: true });
    if (gate === undefined) expect(confined).toMatchObject({ code: 'ANNEX_DENIED' });
    else expect(confined).toEqual(gate);
  }
});

test('a bake ignores the switch of the application, and no other', () => {
  for (const cell of cells) {
    const baking = decide(cell, { isBaking: true });
    expect(baking).toEqual(decide({ ...cell, core: undefined }, { isBaking: true }));
    expect(baking === undefined).toBe(decide({ ...cell, core: undefined }) === undefined);
  }
});

test('the remedy for a misspelled switch removes it, for no value of it allows installs', () => {
  const decideFor = (source: Parameters<typeof readSource>[0]) => {
    const sources = [readSource(source)];
    return decideGate(resolveSettings(sources), sources, {})?.hint;
  };
  const written = { allowInstall: true };
  expect(decideFor({ kind: 'operator file', path, written })).toBe(
    `remove allowInstall in ${path}`,
  );
  expect(decideFor({ kind: 'package.json', path: '/app/package.json', written })).toBe(
    'remove annex.allowInstall in /app/package.json',
  );
  const variables = { ANNEX_ALLOW_INSTALL: '1' };
  expect(decideFor({ kind: 'environment', written: variables })).toBe('unset ANNEX_ALLOW_INSTALL');
});
