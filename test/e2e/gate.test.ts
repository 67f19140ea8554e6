/** The gate: the core, the operator's file and the environment decide about installs, and each can only restrict. */
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, NOTICE } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { asPlainUser } from '../support/user.ts';
import { openWorld, type World } from '../support/world.ts';

const features = { alpha: '^1.0.0', beta: '^1.0.0' };

/** An application with `alpha` in its store and `beta` only in the registry. */
async function open({
  annex = {},
  ...options
}: {
  annex?: object;
  copyAnnex?: boolean;
} = {}): Promise<World> {
  const packages = [esmPackage('beta', '1.0.0', 'from-registry')];
  const world = await openWorld({ packages, annex: { features, ...annex }, ...options });
  world.sandbox.plantEntry({
    feature: 'alpha',
    packages: [esmPackage('alpha', '1.0.0', 'planted')],
    specs: { alpha: '^1.0.0' },
  });
  return world;
}

interface Case {
  title: string;
  /** Besides `features`. */
  annex?: object;
  /** Contents of the operator's file. */
  operator?: string;
  /** STORE is replaced by the sandbox's store, FILE by the operator's file. */
  env?: Record<string, string>;
  code?: string;
  reason: RegExp;
  /** Line at the start; none by default. */
  notice?: RegExp;
  /** Whether there is no store, so that `alpha` is missing as well. */
  isStoreless?: boolean;
}

const STORE = { ANNEX_STORE: 'STORE' };
const FILE = { ...STORE, ANNEX_CONFIG: 'FILE' };

const denied: Case[] = [
  {
    title: 'core says no',
    annex: { allowInstalls: false },
    env: STORE,
    reason: /installs are switched off by annex\.allowInstalls in .*package\.json/,
  },
  {
    title: 'core says no, all others yes',
    annex: { allowInstalls: 'off' },
    operator: '{"allowInstalls": true}',
    env: { ...FILE, ANNEX_ALLOW_INSTALLS: '1' },
    reason: /installs are switched off by annex\.allowInstalls in .*package\.json/,
  },
  {
    title: 'core has an invalid value',
    annex: { allowInstalls: 'perhaps' },
    env: STORE,
    reason: /installs are switched off by annex\.allowInstalls in .*package\.json/,
    notice:
      /annex\.allowInstalls in .*package\.json is "perhaps", not true or false; taken as false/,
  },
  {
    title: 'the operator says no, all others yes',
    annex: { allowInstalls: true },
    operator: '{"allowInstalls": "NO"}',
    env: { ...FILE, ANNEX_ALLOW_INSTALLS: 'yes' },
    reason: /installs are switched off by allowInstalls in .*operator\.json/,
  },
  {
    title: 'the operator has an invalid value',
    operator: '{"allowInstalls": "perhaps"}',
    env: FILE,
    reason: /installs are switched off by allowInstalls in .*operator\.json/,
    notice: /allowInstalls in .*operator\.json is "perhaps", not true or false; taken as false/,
  },
  {
    title: 'the environment says no, all others yes, sealed or not',
    annex: { allowInstalls: true },
    operator: '{"allowInstalls": true}',
    env: { ...FILE, ANNEX_ALLOW_INSTALLS: 'oFF', ANNEX_SEALED: '1' },
    reason: /switched off by ANNEX_ALLOW_INSTALLS/,
  },
  {
    title: 'the environment has an invalid value',
    env: { ...STORE, ANNEX_ALLOW_INSTALLS: 'perhaps' },
    reason: /switched off by ANNEX_ALLOW_INSTALLS/,
    notice: /ANNEX_ALLOW_INSTALLS is "perhaps", not true or false; taken as false/,
  },
  {
    title: 'sealed, by any word for true, without a store',
    env: { ANNEX_SEALED: 'True' },
    reason: /the core is sealed and there is no store/,
    isStoreless: true,
  },
  {
    title: 'sealed by an invalid value, without a store',
    env: { ANNEX_SEALED: 'sealed', ANNEX_STORE: '' },
    reason: /the core is sealed and there is no store/,
    notice: /ANNEX_SEALED is "sealed", not true or false; taken as true/,
    isStoreless: true,
  },
  ...(
    [
      ['missing', undefined, 'does not exist'],
      ['empty', '', 'is not valid JSON'],
      ['no JSON', 'allowInstalls: true', 'is not valid JSON'],
      ['no object', '[]', 'does not hold a JSON object'],
    ] as const
  ).map(([what, operator, problem]) => ({
    title: `the operator's file is ${what}`,
    ...(operator !== undefined && { operator }),
    env: FILE,
    code: 'ANNEX_INVALID_CONFIG',
    reason: new RegExp(`operator's file .*operator\\.json ${problem}`),
    notice: new RegExp(`operator's file .*operator\\.json ${problem}`),
  })),
  {
    title: "the operator's file is named by a relative path",
    operator: '{}',
    env: { ...STORE, ANNEX_CONFIG: '../operator.json' },
    code: 'ANNEX_INVALID_CONFIG',
    reason: /operator's file \.\.\/operator\.json is not an absolute path/,
    notice: /operator's file \.\.\/operator\.json is not an absolute path/,
  },
  {
    title: "the operator's file is a directory",
    env: { ...STORE, ANNEX_CONFIG: 'CORE' },
    code: 'ANNEX_INVALID_CONFIG',
    reason: /operator's file .* cannot be read/,
    notice: /operator's file .* cannot be read/,
  },
];

/** Every path that a program could write to. */
const digestAll = ({ digest, core, store, home }: Sandbox) =>
  [core, dirname(store), home].map((directory) => digest(directory));

/** Replaces the placeholders by the paths of this sandbox. */
function place(sandbox: Sandbox, env: Record<string, string> = {}): Record<string, string> {
  const file = `${sandbox.root}/operator.json`;
  const places: Record<string, string> = { STORE: sandbox.store, FILE: file, CORE: sandbox.core };
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, places[value] ?? value]),
  );
}

describe.concurrent.each(nodes)('$label', (node) => {
  const named = denied.map((one) => [one.title, one] as const);
  test.for(named)('denied: %s', async ([, one]) => {
    const { sandbox, registry } = await open({ annex: one.annex ?? {} });
    if (one.operator !== undefined) sandbox.write('operator.json', one.operator);
    const before = digestAll(sandbox);
    const env = place(sandbox, one.env);
    const { imported, lines } = await importIn(sandbox, ['alpha', 'beta'], {
      node: node.path,
      env,
    });

    const code = one.code ?? 'ANNEX_DENIED';
    expectRefused(imported.beta, code, one.reason, 'beta');
    expect(imported.beta?.cause?.message).toMatch(/Now: (?:set|unset|correct) /);
    expect(imported.beta?.cause?.message).not.toMatch(/npm install|npx/);
    if (one.isStoreless) expectRefused(imported.alpha, code, one.reason, 'alpha');
    else expect(imported.alpha).toMatchObject({ marker: 'planted' });

    const printed = [imported.alpha, imported.beta].flatMap(
      (refused) => refused?.cause?.message ?? [],
    );
    expect(lines.slice(-printed.length)).toEqual(printed);
    expect(lines).toHaveLength(printed.length + (one.notice === undefined ? 0 : 1));
    if (one.notice !== undefined) {
      expect(lines[0]).toMatch(NOTICE);
      expect(lines[0]).toMatch(one.notice);
    }
    expect(registry.requests).toEqual([]);
    expect(digestAll(sandbox)).toEqual(before);
  });

  const allowed: [string, Record<string, string>, object][] = [
    ['not sealed with a store', STORE, {}],
    ['sealed with a store', { ...STORE, ANNEX_SEALED: 'YES' }, {}],
    [
      'every switch on',
      { ...FILE, ANNEX_ALLOW_INSTALLS: 'On', ANNEX_SEALED: '1' },
      { allowInstalls: 'Yes' },
    ],
  ];
  test.for(allowed)('allowed, into the store: %s', async ([, env, annex]) => {
    const { sandbox } = await open({ annex });
    sandbox.write('operator.json', { allowInstalls: 1 });
    const before = sandbox.digest(sandbox.core);
    const options = { node: node.path, env: place(sandbox, env) };
    const { imported, lines } = await importIn(sandbox, ['alpha', 'beta'], options);
    expect(imported).toEqual({
      alpha: { marker: 'planted', version: '1.0.0' },
      beta: { marker: 'from-registry', version: '1.0.0' },
    });
    expect(lines).toHaveLength(2);
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('allowed, into an embedded default: neither sealed nor a store', async () => {
    const { sandbox } = await open();
    const { imported } = await importIn(sandbox, ['alpha', 'beta'], { node: node.path });
    expect(imported.beta).toMatchObject({ marker: 'from-registry' });
    expectRefused(imported.alpha, 'ANNEX_INSTALL_FAILED', /alpha/);
    const made = Object.keys(sandbox.digest(sandbox.home));
    expect(made).toContain(`.cache/annex${sandbox.core}/v1/any`);
  });

  test('a denial is not remembered: once allowed, the next process installs', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STORE: sandbox.store };
    const first = await importIn(sandbox, ['beta'], {
      node: node.path,
      env: { ...env, ANNEX_ALLOW_INSTALLS: '0' },
    });
    expectRefused(first.imported.beta, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/);
    const second = await importIn(sandbox, ['beta'], { node: node.path, env });
    expect(second.imported.beta).toMatchObject({ marker: 'from-registry' });
  });

  test("an operator's file that the user cannot read denies installs", async () => {
    const { sandbox } = await open({ copyAnnex: true });
    const file = sandbox.write('secret/operator.json', { allowInstalls: true });
    await sandbox.exec('chmod', ['000', file]);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG: file };
    const options = { ...asPlainUser, node: node.path, env };
    const { imported, lines } = await importIn(sandbox, ['beta'], options);
    expectRefused(imported.beta, 'ANNEX_INVALID_CONFIG', /operator\.json cannot be read/);
    expect(lines).toEqual([expect.stringMatching(NOTICE), imported.beta?.cause?.message]);
  });
});
