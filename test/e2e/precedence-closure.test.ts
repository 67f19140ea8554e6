/** Only declared packages of an entry reach the core; a shared dependency is the core's own copy. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, dependentPackage, dualPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import {
  type Answer,
  type Answers,
  forms,
  keyOf,
  type Probe,
  writeProbe,
} from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { SHADOW, shadowPackage } from '../support/shadow.ts';

const MARKER = 'entry';
const features = {
  alpha: '^1.0.0',
  pair: { packages: { 'pair-one': '^1.0.0', 'pair-two': '^1.0.0' } },
  absent: '^1.0.0',
  sharing: '^1.0.0',
  outdated: '^1.0.0',
  lost: '^1.0.0',
  damaged: '^1.0.0',
  unsealed: '^1.0.0',
  'linked-out': '^1.0.0',
  'linked-file': '^1.0.0',
};
/** Specifiers of a package of the closure that go through a declared one. */
const around = [
  'alpha/../helper/index.js',
  'alpha/%2e%2e/helper/index.js',
  'alpha/lib/../../helper/index.js',
  'alpha/..\\helper/index.js',
  'alpha/../../annex-entry.json',
  'alpha/../../../../../../outside.js',
];
const asked = [
  ...['alpha', 'alpha/lib/extra.js', 'pair-one', 'pair-two', 'sharing'],
  ...['helper', 'helper/lib/extra.js', '@entry/inner', 'absent', 'absent/sub', 'pair'],
  ...[
    'outdated',
    'lost',
    'damaged',
    'unsealed',
    'unsealed/sub',
    'linked-out',
    'linked-file',
    ...around,
  ],
];

let sandbox: Sandbox;
let probe: Probe;

/** Entries in which a package, or its file, is a link out of the entry. */
function plantLinks(): void {
  for (const name of ['linked-out', 'linked-file']) {
    const packages = [esmPackage(name, '1.0.0', MARKER)] as const;
    const entry = sandbox.plantEntry({ feature: name, packages, specs: { [name]: '^1.0.0' } });
    const outside = sandbox.addPackage('volume/linked', esmPackage(name, '1.0.0', SHADOW));
    const path = name === 'linked-out' ? '' : 'index.js';
    const inside = join(entry, 'node_modules', name, path);
    rmSync(inside, { recursive: true });
    symlinkSync(join(outside, path), inside);
  }
}

beforeAll(async () => {
  sandbox = await createSandbox();
  sandbox.setCore({ features });
  sandbox.addPackage('app/node_modules', dualPackage('common', '1.5.0', 'core'));
  sandbox.addPackage('app/node_modules', cjsPackage('dep', '1.0.0', 'core'));
  const helper = cjsPackage('helper', '1.0.0', SHADOW);
  sandbox.plantEntry({
    feature: 'alpha',
    packages: [
      cjsPackage('alpha', '1.0.0', MARKER),
      helper,
      esmPackage('@entry/inner', '1.0.0', SHADOW),
      shadowPackage('absent', 'closure'),
    ],
    specs: { alpha: '^1.0.0' },
  });
  sandbox.plantEntry({
    feature: 'pair',
    packages: [esmPackage('pair-one', '1.0.0', MARKER), esmPackage('pair-two', '1.0.0', MARKER)],
    specs: { 'pair-one': '^1.0.0', 'pair-two': '^1.0.0' },
  });
  const plantSharing = (name: string, shared: string, ranges: string[], version: string) =>
    sandbox.plantEntry({
      feature: name,
      packages: [
        dependentPackage(name, '1.0.0', MARKER, { [shared]: ranges[0] ?? '' }),
        shadowPackage(shared, 'closure'),
      ],
      specs: { [name]: '^1.0.0' },
      shared: { [shared]: { ranges, version } },
    });
  plantSharing('sharing', 'common', ['^1.0.0', '>=1.2.0'], '1.4.0');
  plantSharing('outdated', 'common', ['^1.0.0', '^1.6.0'], '1.6.0');
  plantSharing('lost', 'gone-from-core', ['^1.0.0'], '1.0.0');
  const damaged = sandbox.plantEntry({
    feature: 'damaged',
    packages: [esmPackage('damaged', '1.0.0', MARKER)],
    specs: { damaged: '^1.0.0' },
  });
  rmSync(join(damaged, 'node_modules', 'damaged'), { recursive: true });
  plantLinks();
  const unsealed = sandbox.plantEntry({
    feature: 'unsealed',
    packages: [esmPackage('unsealed', '1.0.0', MARKER)],
    specs: { unsealed: '^1.0.0' },
  });
  rmSync(join(unsealed, 'package.json'));
  const claim = shadowPackage('unsealed', 'claim');
  sandbox.write('volume/annex/v1/any/package.json', { name: claim.name, ...claim.manifest });
  for (const [path, text] of Object.entries(claim.files ?? {})) {
    sandbox.write(join('volume/annex/v1/any', path), String(text));
  }
  for (const name of ['damaged', 'common']) {
    sandbox.addPackage('volume/node_modules', shadowPackage(name, 'volume'));
  }
  sandbox.write('volume/outside.js', `exports.marker = '${SHADOW} volume';`);
  const questions = asked.flatMap((specifier) => [
    { from: 'app', specifier },
    { from: 'app/node_modules/dep', specifier },
  ]);
  probe = writeProbe(sandbox, questions);
});

describe.each(nodes)('G3: declared packages only, $label', (node) => {
  let alone: Answers;
  let answers: Answers;
  beforeAll(async () => {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    alone = await probe.run({ node: node.path });
    answers = await probe.run({ node: node.path, flags: ['--import', sandbox.loader], env });
  });
  const all = (specifier: string, from = 'app'): Answer[] =>
    forms.map((form) => answers[keyOf(from, form, specifier)] ?? {});

  test('G3: the core never loads an undeclared package of a closure', () => {
    expect(JSON.stringify(answers)).not.toContain(SHADOW);
  });

  test('every package of a feature loads from its entry', () => {
    for (const name of ['alpha', 'pair-one', 'pair-two', 'sharing']) {
      expect(all(name).filter(({ marker }) => marker === MARKER).length, name).toBe(5);
    }
  });

  test('G3: an undeclared package of a closure resolves from the core as without annex', () => {
    for (const [key, answer] of Object.entries(answers)) {
      const name = key.split(' | ')[2] ?? '';
      if (/^(helper|@entry|pair$)/.test(name)) expect(answer, key).toEqual(alone[key]);
    }
  });

  test('G3: no path through a declared package leads out of it', () => {
    for (const specifier of around) {
      for (const answer of [...all(specifier), ...all(specifier, 'app/node_modules/dep')]) {
        expect(answer, specifier).toHaveProperty('error.code');
      }
    }
  });

  test('a declared package in the closure of another feature is missing', () => {
    for (const { error } of [...all('absent'), ...all('absent/sub')]) {
      expect(error?.code).toMatch(/^(ERR_)?MODULE_NOT_FOUND$/);
      expect(error?.cause?.code).toBe('ANNEX_DENIED');
    }
  });

  test('a shared dependency is the copy of the core', () => {
    for (const { seen, path } of all('sharing')) {
      if (path === undefined) expect(seen).toEqual({ common: 'core' });
    }
  });

  // Node 20 calls no hook for the static imports of a required ES module.
  test.skipIf(node.major < 22)(
    'a required ES module resolves its imports like an imported one',
    async () => {
      sandbox.write('app/uses.mjs', `export { marker } from 'alpha';`);
      const names = JSON.stringify(['sharing', './uses.mjs']);
      sandbox.write(
        'app/required.cjs',
        `const [sharing, uses] = ${names}.map((name) => require(name));
         console.log(JSON.stringify([sharing.seen, uses.marker]));`,
      );
      const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
      const args = ['--import', sandbox.loader, 'required.cjs'];
      const { stdout } = await sandbox.run(args, { node: node.path, env });
      expect(JSON.parse(stdout)).toEqual([{ common: 'core' }, MARKER]);
    },
  );

  test('an entry that core’s version no longer satisfies is a miss', () => {
    for (const { error } of [...all('outdated'), ...all('lost')]) {
      expect(error?.code).toMatch(/^(ERR_)?MODULE_NOT_FOUND$/);
      expect(error?.cause?.code).toBe('ANNEX_DENIED');
    }
  });

  test('a package or a file that is linked out of its entry is not found', () => {
    for (const { error } of [...all('linked-out'), ...all('linked-file')]) {
      expect(error?.code).toMatch(/^(ERR_)?MODULE_NOT_FOUND$/);
    }
  });

  test('G6: an entry that lost its own package.json gives a not-found error, or its copy', () => {
    for (const { error, marker, path } of [...all('unsealed'), ...all('unsealed/sub')]) {
      if (error === undefined)
        expect(marker ?? path).toMatch(/^entry$|\/unsealed\.[^/]+\/node_modules/);
      else expect(error.code).toMatch(/^(ERR_)?MODULE_NOT_FOUND$/);
    }
  });

  test('G6: an entry that lost its package gives a not-found error, whatever is above it', () => {
    for (const { error } of all('damaged')) {
      expect(error?.code).toMatch(/^(ERR_)?MODULE_NOT_FOUND$/);
    }
  });
});
