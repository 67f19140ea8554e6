/** An unreadable directory of the core counts as owned by it; an unreadable entry is a miss. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { dualPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { type Answers, forms, keyOf, loading, type Probe, writeProbe } from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { SHADOW } from '../support/shadow.ts';
import { isRoot, PLAIN_USER } from '../support/user.ts';

const inCore = ['locked', '@locked/pkg', 'plain', 'plain/sub'];
const inStore = ['thing', 'closed-entry', 'closed-manifest', 'closed-modules'];
const asked = [
  ...inCore.map((specifier) => ({ from: 'app', specifier })),
  ...inStore.map((specifier) => ({ from: 'app', specifier })),
  // Its node_modules and the name in its package.json are unknown.
  { from: 'app/src', specifier: 'thing' },
  { from: 'app/packages/sealed', specifier: 'thing' },
];

let sandbox: Sandbox;
let probe: Probe;

beforeAll(async () => {
  sandbox = await createSandbox();
  const names = ['locked', '@locked/pkg', 'plain', ...inStore];
  sandbox.setCore({ features: Object.fromEntries(names.map((name) => [name, '*'])) });
  for (const name of ['locked', '@locked/pkg', 'plain']) {
    sandbox.addPackage('app/node_modules', dualPackage(name, '1.0.0', 'core'));
  }
  sandbox.write('app/src/node_modules/any/index.js', '');
  sandbox.write('app/packages/sealed/package.json', { name: 'sealed' });
  const entries = new Map(
    names.map((name) => {
      const pkg = dualPackage(name, '1.0.0', name === 'thing' ? 'store' : `${SHADOW} store`);
      return [name, sandbox.plantEntry({ feature: name, packages: [pkg], specs: { [name]: '*' } })];
    }),
  );
  probe = writeProbe(sandbox, asked);
  const lock = (...path: string[]) => chmodSync(join(sandbox.root, ...path), 0o000);
  for (const name of ['locked', '@locked']) lock('app/node_modules', name);
  lock('app/node_modules/plain/package.json');
  lock('app/src/node_modules');
  lock('app/packages/sealed/package.json');
  lock('home');
  chmodSync(entries.get('closed-entry') ?? '', 0o000);
  chmodSync(join(entries.get('closed-manifest') ?? '', 'annex-entry.json'), 0o000);
  chmodSync(join(entries.get('closed-modules') ?? '', 'node_modules'), 0o000);
});

describe.skipIf(!isRoot).for(nodes)('$label, as another user', (node) => {
  let alone: Answers;
  let answers: Answers;
  beforeAll(async () => {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const flags = ['--import', sandbox.loader];
    alone = await probe.run({ node: node.path, user: PLAIN_USER.uid });
    answers = await probe.run({ node: node.path, flags, env, user: PLAIN_USER.uid });
  });

  test('G1: no other copy is used for an unreadable package', () => {
    expect(JSON.stringify(answers)).not.toContain(SHADOW);
    for (const { from, specifier } of asked) {
      if (from === 'app' && inStore.includes(specifier)) continue;
      for (const form of forms) {
        const key = keyOf(from, form, specifier);
        expect.soft(answers[key], key).toEqual(alone[key]);
      }
    }
  });

  test("readable entries are used, though HOME is another user's", () => {
    for (const form of loading) {
      expect(answers[keyOf('app', form, 'thing')]?.marker).toBe('store');
    }
  });

  test('G6: an unreadable entry is a miss', () => {
    for (const name of ['closed-entry', 'closed-manifest']) {
      for (const form of forms) {
        const { error } = answers[keyOf('app', form, name)] ?? {};
        const codes = [alone[keyOf('app', form, name)]?.error?.code, 'ANNEX_DENIED'];
        expect.soft([error?.code, error?.cause?.code], `${form} of ${name}`).toEqual(codes);
      }
    }
  });

  test('an entry with an unreadable package gives Node’s error', () => {
    for (const form of forms) {
      const { error } = answers[keyOf('app', form, 'closed-modules')] ?? {};
      expect(error?.code).toMatch(/^((ERR_)?MODULE_NOT_FOUND|ERR_INVALID_PACKAGE_CONFIG)$/);
    }
  });
});
