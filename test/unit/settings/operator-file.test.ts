/** The operator's file: its keys, and the effect of an unreadable one. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readOperatorBlocked, readOperatorFile } from '../../../src/settings/operator-file.ts';
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

test('its keys become statements, in the order of the file', () => {
  const path = writeOperator('{"timeout": 3, "allowInstalls": "off"}');
  expect(readOperatorFile(path)).toEqual({
    statements: [
      { key: 'timeout', kind: 'operator file', place: `timeout in ${path}`, value: 3 },
      {
        key: 'allowInstalls',
        kind: 'operator file',
        place: `allowInstalls in ${path}`,
        value: false,
      },
    ],
    refusals: [],
  });
});

/** The gate is closed by the one refusal that is reported. */
function expectUnreadable(path: string): void {
  const { statements, refusals, closing } = readOperatorFile(path);
  expect(statements).toEqual([]);
  expect(refusals).toEqual([closing]);
  expect(closing).toEqual({
    code: 'ANNEX_INVALID_CONFIG',
    reason: expect.stringMatching(/^the operator's file .*(?:cannot be|does not|is not)/),
    hint: 'correct the file, or unset ANNEX_CONFIG',
  });
}

test.each(['', '{', 'allowInstalls: true', '[]', 'null', '"true"', 'true', '\uFEFF{}'])(
  'content %j closes the gate',
  (content) => expectUnreadable(writeOperator(content)),
);

test('a missing file, a relative path, a directory and an empty path close the gate', () => {
  const missing = join(makeDirectory(), 'missing.json');
  for (const path of [missing, 'operator.json', makeDirectory(), '']) expectUnreadable(path);
});

test('nothing is read from a pipe or a device', () => {
  expectUnreadable('/dev/null');
});

test('blocked versions are read again; an invalid file or list keeps the known ones', () => {
  const path = writeOperator('{"blocked": ["axios"]}');
  const toItem = (name: string) => ({ name, range: '*', spec: name, by: path });
  const known = [toItem('known')];
  for (const [text, isValid, blocked] of [
    ['{"blocked": ["axios"]}', true, [toItem('axios')]],
    ['{}', true, []],
    ['{"blocked": []}', true, []],
    ['{"blocked": ["axi', false, known],
    ['[]', false, known],
    ['{"blocked": "axios"}', false, known],
    ['{"block": ["axios"]}', false, known],
    ['{"blocked": ["axios", 1]}', false, [...known, toItem('axios')]],
  ] as const) {
    writeFileSync(path, text);
    const read = readOperatorBlocked(path, known);
    expect({ text, ...read }).toEqual({ text, blocked, isValid });
  }
  rmSync(path);
  expect(readOperatorBlocked(path, known)).toEqual({ blocked: known, isValid: false });
});
