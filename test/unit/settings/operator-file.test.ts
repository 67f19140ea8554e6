/** The operator's file: what is read of it, and what a wrong one means. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../src/settings/environment.ts';
import { readOperatorBlocked } from '../../../src/settings/operator-file.ts';
import { removeTree } from '../../support/tree.ts';

function makeDirectory(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'annex-config-'));
  onTestFinished(() => removeTree(directory));
  return directory;
}

/** Writes an operator's file. Returns its path. */
function writeOperator(content: string): string {
  const path = join(makeDirectory(), 'operator.json');
  writeFileSync(path, content);
  return path;
}

describe("the operator's file", () => {
  test('is a file: nothing is read from a pipe or a device, which might never end', () => {
    const { operator } = readConfig({ ANNEX_CONFIG: '/dev/null' });
    expect(operator).toMatchObject({ problem: 'cannot be read' });
  });

  test.each([
    ['{}', { allowInstalls: undefined }, 300_000],
    ['{"allowInstalls": true}', { allowInstalls: true }, 300_000],
    ['{"allowInstalls": "off", "timeout": 3}', { allowInstalls: false }, 3_000],
    ['{"timeout": 0.5}', { allowInstalls: undefined }, 500],
  ])('%s', (content, operator, timeout) => {
    const path = writeOperator(content);
    expect(readConfig({ ANNEX_CONFIG: path })).toMatchObject({
      operator: { path, ...operator },
      timeout,
      notices: [],
    });
  });

  test.each(['', '{', 'allowInstalls: true', '[]', 'null', '"true"', 'true', '\uFEFF{}'])(
    'content %j is a problem',
    (content) => {
      const path = writeOperator(content);
      const { operator } = readConfig({ ANNEX_CONFIG: path });
      expect(operator).toMatchObject({ path, problem: expect.any(String) });
    },
  );

  test('missing, relative, a directory and unnamed are problems', () => {
    const missing = join(makeDirectory(), 'missing.json');
    for (const path of [missing, 'operator.json', makeDirectory(), '']) {
      const { operator } = readConfig({ ANNEX_CONFIG: path });
      expect(operator).toMatchObject({ path, problem: expect.any(String) });
    }
  });

  test('allowInstalls that is no boolean is false, and said', () => {
    const path = writeOperator('{"allowInstalls": "perhaps"}');
    const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(operator).toEqual({ path, allowInstalls: false });
    expect(notices).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('allowInstalls') }),
    ]);
  });

  test.each(['load', 'first-use', 'off'])('verify %j is taken', (verify) => {
    const { notices, ...config } = readConfig({
      ANNEX_CONFIG: writeOperator(JSON.stringify({ verify })),
    });
    expect(config.verify).toBe(verify);
    expect(notices).toEqual([]);
  });

  test.each(['never', false, null, ['off']])('verify %j is said and taken as load', (verify) => {
    const config = readConfig({ ANNEX_CONFIG: writeOperator(JSON.stringify({ verify })) });
    expect(config.verify).toBe('load');
    expect(config.notices).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/^verify in .*; taken as load$/) }),
    ]);
  });

  test.each([0, -1, 86_401, '30', null, 1e99])('timeout %j is said and not taken', (timeout) => {
    const path = writeOperator(JSON.stringify({ timeout }));
    const config = readConfig({ ANNEX_CONFIG: path });
    expect(config.timeout).toBe(300_000);
    expect(config.notices).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('timeout') }),
    ]);
  });

  test('an unknown key is said', () => {
    const path = writeOperator('{"mirrors": ["x"]}');
    expect(readConfig({ ANNEX_CONFIG: path }).notices).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('mirrors') }),
    ]);
  });

  test.each(['allowInstall', 'allow-installs', 'AllowInstalls'])(
    'the key %s counts as allowInstalls: false, whatever it says',
    (key) => {
      for (const value of [false, true]) {
        const path = writeOperator(JSON.stringify({ [key]: value, allowInstalls: true }));
        const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
        expect(operator).toEqual({ path, allowInstalls: false });
        expect(notices).toEqual([
          {
            code: 'ANNEX_INVALID_CONFIG',
            reason: `${key} in ${path} is not known to this version and is taken for allowInstalls: false`,
            hint: 'rename it to allowInstalls, or use a version of annex that knows it',
          },
        ]);
      }
    },
  );

  test.each(['block', 'blockd', 'Blocked'])('the key %s closes the gate', (key) => {
    const path = writeOperator(JSON.stringify({ [key]: ['axios'] }));
    const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(operator?.problem).toBe(
      `has an invalid list of blocked versions: ${key} is not known to this version and is taken for blocked`,
    );
    expect(notices).toEqual([]);
    const known = [{ name: 'kit', range: '*', spec: 'kit', by: path }];
    expect(readOperatorBlocked(path, known)).toEqual(known);
  });

  test('a key that is near to no switch does nothing, and what would be known is said', () => {
    const path = writeOperator('{"timeOuts": 5}');
    const { timeout, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(timeout).toBe(300_000);
    expect(notices[0]?.reason).toMatch(/timeOuts in .* does nothing: timeout would be known$/);
  });
});

describe("what the operator's file blocks", () => {
  const item = (path: string, name: string) => ({ name, range: '*', spec: name, by: path });

  test('is read, under its path', () => {
    const path = writeOperator('{"blocked": ["axios", {"spec": "exa-js@1.9.4", "reason": "no"}]}');
    const config = readConfig({ ANNEX_CONFIG: path });
    expect(config.blocked).toEqual([
      item(path, 'axios'),
      { name: 'exa-js', range: '1.9.4', spec: 'exa-js@1.9.4', reason: 'no', by: path },
    ]);
    expect(config).toMatchObject({ operator: { path }, notices: [] });
  });

  test('with a range that is none: every version, and it is said', () => {
    const path = writeOperator('{"blocked": ["axios@latest"]}');
    const { blocked, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(blocked).toMatchObject([{ name: 'axios', range: '*' }]);
    const reason = `blocked[0] in ${path} has a range that is none; every version of axios is blocked`;
    expect(notices).toMatchObject([{ code: 'ANNEX_INVALID_CONFIG', reason }]);
  });

  test.each(['"axios"', '[1]', '["axios", "*"]', '{}', 'null'])(
    'as %s is invalid: nothing is installed',
    (value) => {
      const path = writeOperator(`{"blocked": ${value}}`);
      const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
      expect(operator).toMatchObject({
        path,
        problem: expect.stringContaining('has an invalid list'),
      });
      expect(notices).toEqual([]);
    },
  );

  test('is read again; what cannot be read, or not all of it, leaves what was known', () => {
    const path = writeOperator('{"blocked": ["axios"]}');
    const known = [item(path, 'known')];
    expect(readOperatorBlocked(path, known)).toEqual([item(path, 'axios')]);
    for (const [text, read] of [
      ['{}', []],
      ['{"blocked": []}', []],
      ['{"blocked": ["axi', known],
      ['[]', known],
      ['{"blocked": "axios"}', known],
      ['{"blocked": ["axios", 1]}', [...known, item(path, 'axios')]],
    ] as const) {
      writeFileSync(path, text);
      expect(readOperatorBlocked(path, known)).toEqual(read);
    }
    rmSync(path);
    expect(readOperatorBlocked(path, known)).toEqual(known);
  });
});
