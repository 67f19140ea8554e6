/** Settings of all sources: values, origins, and the refusals of invalid and misspelled ones. */
import { delimiter } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../../src/settings/environment.ts';
import { readSource, resolveSettings, type Source } from '../../../src/settings/sources.ts';
import { COLUMNS, KEYS, type Key, SETTINGS } from '../../../src/settings/table.ts';

const FILE = '/etc/annex.json';
const MANIFEST = '/app/package.json';

/** Resolves the settings of given sources. */
function resolve({
  env = {},
  operator = {},
  manifest = {},
}: {
  env?: Record<string, string>;
  operator?: object;
  manifest?: object;
}) {
  const files: Source[] = [
    { kind: 'operator file', path: FILE, written: { ...operator } },
    { kind: 'package.json', path: MANIFEST, written: { ...manifest } },
  ];
  const sources = [readEnvironment(env), ...files.map(readSource)];
  const refusals = sources.flatMap((source) => source.refusals);
  const [closing] = sources.flatMap((source) => source.closing ?? []);
  return { ...resolveSettings(sources), refusals, closing };
}

const find = (key: Key, from: Parameters<typeof resolve>[0]) =>
  resolve(from).resolved.find((one) => one.key === key);

describe('the table', () => {
  test('has every setting in at least one source, and a sentence about it', () => {
    const named = new Set(Object.values(COLUMNS).flatMap((column) => [...column.values()]));
    expect([...named].sort()).toEqual([...KEYS].sort());
    for (const key of KEYS) expect(SETTINGS[key].text).toMatch(/^[^.]+/);
  });

  test('nothing stated: every default, from nowhere', () => {
    const { values, resolved, refusals } = resolve({});
    expect(values).toEqual({
      store: [],
      sealed: false,
      allowInstalls: true,
      config: '',
      core: '',
      log: 'info',
      timeout: 300,
      durability: 'sync',
      verify: 'load',
      features: {},
      importers: [],
      fromOptionalPeers: false,
      conflicts: 'fail',
      blocked: [],
      platforms: ['linux-arm64-glibc', 'linux-x64-glibc'],
    });
    expect(refusals).toEqual([]);
    expect(resolved.map(({ key }) => key)).toEqual(KEYS);
    for (const one of resolved) expect(one).toMatchObject({ from: [], overrode: [] });
  });
});

describe('the origin of a value', () => {
  test.each<[Key, Parameters<typeof resolve>[0], string, unknown]>([
    ['log', { env: { ANNEX_LOG: 'json' } }, 'ANNEX_LOG', 'json'],
    ['timeout', { operator: { timeout: 3 } }, `timeout in ${FILE}`, 3],
    ['conflicts', { manifest: { conflicts: 'nest' } }, `annex.conflicts in ${MANIFEST}`, 'nest'],
  ])('%s of %j', (key, given, place, value) => {
    const statement = { key, place, value };
    expect(find(key, given)).toMatchObject({ value, from: [statement], overrode: [] });
  });

  test('the restrictive statement wins, and the others are overridden', () => {
    const env = { ANNEX_ALLOW_INSTALLS: 'yes' };
    const found = find('allowInstalls', {
      env,
      operator: { allowInstalls: false },
      manifest: { allowInstalls: true },
    });
    expect(found).toMatchObject({
      value: false,
      from: [{ kind: 'operator file', place: `allowInstalls in ${FILE}`, value: false }],
      overrode: [
        { kind: 'environment', place: 'ANNEX_ALLOW_INSTALLS', value: true },
        { kind: 'package.json', place: `annex.allowInstalls in ${MANIFEST}`, value: true },
      ],
    });
  });

  test('of equal statements the one closest to the process wins', () => {
    const operator = { allowInstalls: true };
    const found = find('allowInstalls', { operator, env: { ANNEX_ALLOW_INSTALLS: '1' } });
    expect(found).toMatchObject({
      value: true,
      from: [{ place: 'ANNEX_ALLOW_INSTALLS' }],
      overrode: [{ place: `allowInstalls in ${FILE}` }],
    });
  });

  test('lists of two sources add up', () => {
    const given = { operator: { blocked: ['axios'] }, manifest: { blocked: ['kit@1'] } };
    expect(find('blocked', given)).toMatchObject({
      value: [
        { name: 'axios', by: FILE },
        { name: 'kit', range: '1', by: 'package.json' },
      ],
      from: [{ place: `blocked in ${FILE}` }, { place: `annex.blocked in ${MANIFEST}` }],
      overrode: [],
    });
  });
});

test.each<[Key, Parameters<typeof resolve>[0], unknown]>([
  ['sealed', { env: { ANNEX_SEALED: 'TRUE' } }, true],
  ['sealed', { env: { ANNEX_SEALED: 'off' } }, false],
  ['allowInstalls', { env: { ANNEX_ALLOW_INSTALLS: 'Yes' } }, true],
  ['allowInstalls', { env: { ANNEX_ALLOW_INSTALLS: '0' } }, false],
  ['allowInstalls', { operator: { allowInstalls: 'off' } }, false],
  ['allowInstalls', { manifest: { allowInstalls: 'yes' } }, true],
  ['store', { env: { ANNEX_STORE: '' } }, []],
  ['store', { env: { ANNEX_STORE: delimiter } }, []],
  [
    'store',
    { env: { ANNEX_STORE: ['/store', '', '/layer', ''].join(delimiter) } },
    ['/store', '/layer'],
  ],
  ['store', { env: { ANNEX_STORE: `${delimiter}/layer` } }, ['', '/layer']],
  ['log', { env: { ANNEX_LOG: '' } }, 'info'],
  ['log', { env: { ANNEX_LOG: 'json' } }, 'json'],
  ['timeout', { operator: { timeout: 0.5 } }, 0.5],
  ['verify', { operator: { verify: 'first-use' } }, 'first-use'],
  ['verify', { operator: { verify: 'off' } }, 'off'],
  ['durability', { operator: { durability: 'none' } }, 'none'],
  ['platforms', { manifest: { platforms: ['b-c', 'a-b', 'b-c'] } }, ['a-b', 'b-c']],
  ['platforms', { manifest: { platforms: [] } }, ['linux-arm64-glibc', 'linux-x64-glibc']],
])('%s of %j is valid', (key, given, value) => {
  const { values, refusals } = resolve(given);
  expect({ value: values[key], refusals }).toEqual({ value, refusals: [] });
});

test.each<[Key, Parameters<typeof resolve>[0], unknown, string]>([
  ['sealed', { env: { ANNEX_SEALED: 'sealed' } }, true, 'ANNEX_SEALED is "sealed", not true or'],
  ['sealed', { env: { ANNEX_SEALED: '' } }, true, 'ANNEX_SEALED is "", not true or false'],
  ['allowInstalls', { env: { ANNEX_ALLOW_INSTALLS: 'x' } }, false, 'ANNEX_ALLOW_INSTALLS is "x"'],
  ['allowInstalls', { env: { ANNEX_ALLOW_INSTALLS: '' } }, false, 'ANNEX_ALLOW_INSTALLS is ""'],
  ['allowInstalls', { operator: { allowInstalls: 'x' } }, false, `allowInstalls in ${FILE} is "x"`],
  ...['perhaps', null, {}, 2, ''].map((value): [Key, object, unknown, string] => [
    'allowInstalls',
    { manifest: { allowInstalls: value } },
    false,
    `annex.allowInstalls in ${MANIFEST} is ${JSON.stringify(value)}, not true or false; taken as false`,
  ]),
  ['log', { env: { ANNEX_LOG: 'loud' } }, 'info', 'ANNEX_LOG is "loud", not one of silent, error'],
  ...[0, -1, 86_401, '30', null, 1e99].map((timeout): [Key, object, unknown, string] => [
    'timeout',
    { operator: { timeout } },
    300,
    `timeout in ${FILE} is ${JSON.stringify(timeout)}, not a number of seconds up to 86400; taken as 300`,
  ]),
  ...['never', false, null, ['off']].map((verify): [Key, object, unknown, string] => [
    'verify',
    { operator: { verify } },
    'load',
    `verify in ${FILE} is ${JSON.stringify(verify)}, not one of load, first-use, off; taken as "load"`,
  ]),
  ['durability', { operator: { durability: 'no' } }, 'sync', `durability in ${FILE} is "no"`],
  ['conflicts', { manifest: { conflicts: 'merge' } }, 'fail', 'annex.conflicts in'],
  ['fromOptionalPeers', { manifest: { fromOptionalPeers: 'always' } }, false, 'annex.fromOptional'],
  ['features', { manifest: { features: ['exa-js'] } }, {}, 'annex.features in'],
  ['importers', { manifest: { importers: '/opt' } }, [], 'annex.importers in'],
  [
    'importers',
    { manifest: { importers: ['ws', '../x'] } },
    ['ws'],
    `annex.importers[1] in ${MANIFEST} is not an absolute directory or a package name`,
  ],
  [
    'platforms',
    { manifest: { platforms: ['linux-x64', 'a-b'] } },
    ['a-b'],
    'annex.platforms[0] in',
  ],
])('%s of %j is invalid and taken as %j, with one refusal', (key, given, value, reason) => {
  const { values, refusals, closing } = resolve(given);
  expect({ value: values[key], closing }).toEqual({ value, closing: undefined });
  expect(refusals).toEqual([
    {
      code: 'ANNEX_INVALID_CONFIG',
      reason: expect.stringContaining(reason),
      hint: expect.stringMatching(/^(?:set|correct) /),
    },
  ]);
});

describe('a misspelled switch counts as its restrictive value, whatever it says', () => {
  test.each<[Key, Parameters<typeof resolve>[0], boolean, string, string]>([
    ...['ANNEX_ALLOW_INSTALL', 'ANNEX_ALLOWINSTALLS'].map(
      (name): [Key, object, boolean, string, string] => [
        'allowInstalls',
        { env: { [name]: '1' } },
        false,
        `${name} is not known to this version and counts as ANNEX_ALLOW_INSTALLS: false`,
        'rename it to ANNEX_ALLOW_INSTALLS, or unset it',
      ],
    ),
    [
      'sealed',
      { env: { ANNEX_SEAL: '0', ANNEX_SEALED: '0' } },
      true,
      'ANNEX_SEAL is not known to this version and counts as ANNEX_SEALED: true',
      'rename it to ANNEX_SEALED, or unset it',
    ],
    ...['allowInstall', 'allow-installs', 'AllowInstalls', 'alowInstalls'].flatMap((key) =>
      [true, false, 'x'].flatMap((value): [Key, object, boolean, string, string][] => [
        [
          'allowInstalls',
          { operator: { [key]: value, allowInstalls: true } },
          false,
          `${key} in ${FILE} is not known to this version and counts as allowInstalls: false`,
          'rename it to allowInstalls, or use a version of annex that knows it',
        ],
        [
          'allowInstalls',
          { manifest: { [key]: value, allowInstalls: true } },
          false,
          `annex.${key} in ${MANIFEST} is not known to this version and counts as allowInstalls: false`,
          'rename it to allowInstalls, or use a version of annex that knows it',
        ],
      ]),
    ),
  ])('%s of %j', (key, given, value, reason, hint) => {
    const { values, refusals } = resolve(given);
    expect(values[key]).toBe(value);
    expect(refusals).toEqual([{ code: 'ANNEX_INVALID_CONFIG', reason, hint }]);
  });

  test.each(['ANNEX_TEST_SEED', 'ANNEXE_SEALED', 'ANNEX_STORES'])('%s does not', (name) => {
    const { values, refusals } = resolve({ env: { [name]: '1' } });
    expect({ sealed: values.sealed, refusals }).toEqual({ sealed: false, refusals: [] });
  });
});

describe('an unknown key of a file does nothing, and is reported', () => {
  test.each<[Parameters<typeof resolve>[0], string, string]>([
    [{ operator: { mirrors: ['x'] } }, `mirrors in ${FILE}`, 'remove it, or use'],
    [{ operator: { timeOuts: 5 } }, `timeOuts in ${FILE}`, 'rename it to timeout, or use'],
    [{ manifest: { mirrors: [] } }, `annex.mirrors in ${MANIFEST}`, 'remove it, or use'],
    [{ manifest: { feature: {} } }, `annex.feature in ${MANIFEST}`, 'rename it to features, or'],
    [
      { manifest: { 'exa-js': '^1' } },
      `annex.exa-js in ${MANIFEST}`,
      'move it into annex.features',
    ],
  ])('%j', (given, place, hint) => {
    const { values, refusals } = resolve(given);
    expect(values).toEqual(resolve({}).values);
    expect(refusals).toEqual([
      {
        code: 'ANNEX_INVALID_CONFIG',
        reason: `${place} is not known to this version and does nothing`,
        hint: expect.stringContaining(hint),
      },
    ]);
  });
});

describe('an invalid list of blocked versions', () => {
  const wrongs = [
    ...['axios', {}, null, true].map((blocked) => ({ blocked })),
    ...[[1], ['axios', '*']].map((blocked) => ({ blocked })),
    ...['block', 'blockd', 'Blocked', 'blocked_versions'].map((key) => ({ [key]: ['axios'] })),
  ];

  test.each(wrongs)('%j closes the gate in each file, with one refusal', (written) => {
    for (const [given, code] of [
      [{ manifest: written }, 'ANNEX_DENIED'],
      [{ operator: written }, 'ANNEX_INVALID_CONFIG'],
    ] as const) {
      const { refusals, closing } = resolve(given);
      expect(refusals).toHaveLength(1);
      const reason = `the list of blocked versions is invalid: ${refusals[0]?.reason}`;
      expect(closing).toMatchObject({ code, reason });
    }
  });

  test('an invalid range blocks every version, and the gate stays open', () => {
    const { values, refusals, closing } = resolve({ operator: { blocked: ['axios@latest'] } });
    expect(values.blocked).toMatchObject([{ name: 'axios', range: '*' }]);
    const reason = `blocked[0] in ${FILE} has an invalid range: every version of axios is blocked`;
    expect(refusals).toMatchObject([{ code: 'ANNEX_INVALID_CONFIG', reason }]);
    expect(closing).toBeUndefined();
  });
});
