/** A package in the store resolves as the same package in the core, and no other copy is used. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  cjsExportsPackage,
  cjsPackage,
  conditionsPackage,
  dependentPackage,
  dualPackage,
  esmPackage,
  subpathPackage,
} from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import {
  type Answers,
  type Form,
  forgetPlace,
  type Probe,
  type Question,
  writeProbe,
} from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { declare, plantShadows, SHADOW } from '../support/shadow.ts';

const VERSION = '1.2.0';
const MARKER = 'the real one';
type Shape = (name: string, version: string, marker: string) => PackageFixture;
const make = (name: string, shape: Shape) => shape(name, VERSION, MARKER);
const odd = (name: string, manifest: Record<string, unknown>): PackageFixture => ({
  name,
  version: VERSION,
  manifest,
  files: { 'e.mjs': `export const marker = '${MARKER}';`, 'data.json': '{"marker":"data"}' },
});
const inner = cjsPackage('inner', '1.0.0', MARKER);

/** Each with its requested subpaths, and the other packages of its closure. */
const cases: { pkg: PackageFixture; subpaths?: string[]; closure?: PackageFixture[] }[] = [
  { pkg: make('esm', esmPackage), subpaths: ['index.js', 'sub'] },
  {
    pkg: make('cjs', cjsPackage),
    subpaths: [
      ...['lib/extra.js', 'lib/extra', 'lib/gone', 'package.json', '', 'lib/..', './lib/extra.js'],
      ...['lib%2fextra.js', 'lib/extra.js?query', 'lib\\extra.js', 'x'.repeat(300), '\0'],
    ],
  },
  { pkg: make('cjs-exports', cjsExportsPackage), subpaths: ['internal.js'] },
  { pkg: make('dual', dualPackage), subpaths: ['index.mjs'] },
  { pkg: make('@acme/scoped', dualPackage), subpaths: ['sub'] },
  { pkg: make('with-subpath', subpathPackage), subpaths: ['sub', 'package.json', 'lib/sub.js'] },
  { pkg: make('@acme/subpath', subpathPackage), subpaths: ['sub', 'other'] },
  { pkg: make('conditions', conditionsPackage) },
  { pkg: odd('import-only', { exports: { import: './e.mjs' } }) },
  {
    pkg: odd('wild', { exports: { './*': './*', './secret/*': null } }),
    subpaths: ['e.mjs', 'secret/x', 'gone.mjs'],
  },
  { pkg: odd('main-gone', { main: './gone.js' }), subpaths: ['e.mjs', 'data.json'] },
  { pkg: odd('sqlite', { main: './e.mjs' }) },
  {
    pkg: dependentPackage('dependent', VERSION, MARKER, { inner: '^1.0.0' }),
    closure: [inner],
  },
];
const names = cases.map(({ pkg }) => pkg.name);
const specifiers = cases.flatMap(({ pkg: { name }, subpaths = [] }) => [
  name,
  ...subpaths.map((path) => `${name}/${path}`),
]);
const few: Form[] = ['static import', 'require'];
const questions: Question[] = specifiers.flatMap((specifier) => [
  { from: 'app', specifier },
  { from: 'app/node_modules/dep', specifier, forms: few },
]);

let oracle: { sandbox: Sandbox; probe: Probe };
let annex: { sandbox: Sandbox; probe: Probe };

beforeAll(async () => {
  const [shipping, lacking] = [await createSandbox(), await createSandbox()];
  for (const sandbox of [shipping, lacking]) {
    sandbox.setCore({ features: declare(names) });
    sandbox.addPackage('app/node_modules', cjsPackage('dep', '1.0.0', 'core'));
  }
  plantShadows(lacking, names, { hasEntry: false, claim: 'esm' });
  for (const { pkg, closure = [] } of cases) {
    for (const one of [pkg, ...closure]) shipping.addPackage('app/node_modules', one);
    const specs = { [pkg.name]: '^1.0.0' };
    lacking.plantEntry({ feature: pkg.name, packages: [pkg, ...closure], specs });
  }
  oracle = { sandbox: shipping, probe: writeProbe(shipping, questions) };
  annex = { sandbox: lacking, probe: writeProbe(lacking, questions) };
});

describe.each(nodes)('$label', (node) => {
  const run = (flags: string[], options: { isWorker?: boolean; cwd?: string } = {}) => {
    const { loader, store } = annex.sandbox;
    const env = { ANNEX_STORE: store, ANNEX_ALLOW_INSTALLS: '0' };
    const preload = flags.map((flag) => (flag === 'LOADER' ? loader : flag));
    return annex.probe.run({ node: node.path, flags: preload, env, ...options });
  };
  let shipped: Answers;
  beforeAll(async () => {
    shipped = await oracle.probe.run({ node: node.path });
  });

  test('the packages of the oracle load', () => {
    const markers = Object.values(shipped).map(({ marker }) => marker);
    expect(markers.filter((marker) => marker === MARKER).length).toBeGreaterThan(90);
  });

  test.for([
    { title: 'under --import', flags: ['--import', 'LOADER'] },
    { title: 'under --require', flags: ['--require', 'LOADER'] },
    { title: 'in a worker', flags: ['--import', 'LOADER'], isWorker: true },
    {
      title: 'from a directory with planted copies',
      flags: ['--import', 'LOADER'],
      cwd: 'elsewhere',
    },
  ])('the store resolves like the core, $title', async ({ flags, title: _, ...options }) => {
    const answers = await run(flags, options);
    expect(JSON.stringify(answers)).not.toContain(SHADOW);
    expect(forgetPlace(answers)).toEqual(forgetPlace(shipped));
  });

  test('every path is in an entry of the feature itself', async () => {
    const answers = await run(['--import', 'LOADER']);
    const entries = join(annex.sandbox.store, 'v1', 'any');
    const paths = Object.entries(answers).flatMap(([key, { path }]) =>
      path === undefined ? [] : [{ key, path: path.replace(/^file:\/\//, '') }],
    );
    expect(paths.length).toBeGreaterThan(50);
    for (const { key, path } of paths) {
      const [, , specifier = ''] = key.split(' | ');
      const slug = specifier
        .replace(/^@/, '')
        .split('/')
        .slice(0, specifier[0] === '@' ? 2 : 1);
      expect(path.startsWith(`${entries}/${slug.join('-')}.`), key).toBe(true);
    }
  });
});
