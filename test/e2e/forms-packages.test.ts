/** Every way to load every kind of package: the store behaves exactly like node_modules. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  cjsExportsPackage,
  cjsPackage,
  conditionsPackage,
  dualPackage,
  esmPackage,
  subpathPackage,
} from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { dropSlowness } from '../support/process.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'the wanted copy';

const PACKAGES: PackageFixture[] = [
  esmPackage('esm-only', '1.0.0', MARKER),
  cjsPackage('cjs-only', '1.0.0', MARKER),
  cjsExportsPackage('cjs-exports', '1.0.0', MARKER),
  dualPackage('dual', '1.0.0', MARKER),
  dualPackage('@acme/dual', '1.0.0', MARKER),
  subpathPackage('@acme/deep', '1.0.0', MARKER),
  conditionsPackage('conditions', '1.0.0', MARKER),
];

/** Specifiers that can be imported statically. */
const IMPORTABLE = [
  'esm-only',
  'cjs-only',
  'cjs-only/lib/extra.js',
  'cjs-exports',
  'dual',
  '@acme/dual',
  '@acme/deep',
  '@acme/deep/sub',
  'conditions',
];
/** The same, and specifiers that the packages themselves reject. */
const SPECIFIERS = [
  ...IMPORTABLE,
  '@acme/deep/package.json',
  'esm-only/missing',
  'cjs-only/lib/extra',
  'cjs-only/missing.js',
  'cjs-exports/internal.js',
  'dual/index.mjs',
];

/** Paths in the two worlds differ only in front of the last node_modules. */
const SHARED = `
const shorten = (text) => String(text).replace(/^(?:file:)?\\/.*\\/node_modules\\//, '');
const show = (value) => ({ ...value });
const attempt = async (ask) => {
  try { return await ask(); } catch (error) { return { code: error.code }; }
};
const report = {};
const collect = async (specifier, ways) => {
  report[specifier] = {};
  for (const [way, ask] of Object.entries(ways)) report[specifier][way] = await attempt(ask);
};`;

const ESM_PROGRAM = `
${IMPORTABLE.map((specifier, at) => `import * as static${at} from '${specifier}';`).join('\n')}
import { createRequire } from 'node:module';
import json from '@acme/deep/package.json' with { type: 'json' };
import * as reExport from './re-export.mjs';
${SHARED}
const require = createRequire(import.meta.url);
const statics = { ${IMPORTABLE.map((specifier, at) => `'${specifier}': static${at}`).join(', ')} };
for (const specifier of ${JSON.stringify(SPECIFIERS)}) {
  await collect(specifier, {
    static: () => show(statics[specifier] ?? {}),
    dynamic: async () => show(await import(specifier)),
    again: async () => (await import(specifier)) === (await import(specifier)),
    resolve: () => shorten(import.meta.resolve(specifier)),
    createRequire: () => show(require(specifier)),
    requireResolve: () => shorten(require.resolve(specifier)),
  });
}
report.json = json.name;
report.reExport = Object.keys(reExport).length;
console.log(JSON.stringify(report));`;

const CJS_PROGRAM = `
const { createRequire } = require('node:module');
${SHARED}
(async () => {
  for (const specifier of ${JSON.stringify(SPECIFIERS)}) {
    await collect(specifier, {
      require: () => show(require(specifier)),
      moduleRequire: () => module.require(specifier) === require(specifier),
      createRequire: () => createRequire(__filename)(specifier) === require(specifier),
      resolve: () => shorten(require.resolve(specifier)),
      dynamic: async () => show(await import(specifier)),
      cached: () => require.resolve(specifier) in require.cache,
    });
  }
  console.log(JSON.stringify(report));
})();`;

interface World {
  sandbox: Sandbox;
  /** Runs a program, and returns its report; anything on stderr fails. */
  report: (args: string[], env?: Record<string, string>) => Promise<Record<string, unknown>>;
}

describe.each(nodes)('$label', ({ path: node }) => {
  let annex: World;
  let plain: World;

  async function open(): Promise<World> {
    const sandbox = await createSandbox();
    sandbox.write('app/main.mjs', ESM_PROGRAM);
    sandbox.write('app/re-export.mjs', `export * from 'dual'; export * as all from 'esm-only';`);
    sandbox.write('app/main.cjs', CJS_PROGRAM);
    return {
      sandbox,
      report: async (args, env = {}) => {
        const run = await sandbox.run(args, { node, env });
        expect(run).toMatchObject({ code: 0, stderr: '' });
        return JSON.parse(run.stdout) as Record<string, unknown>;
      },
    };
  }

  beforeAll(async () => {
    [annex, plain] = await Promise.all([open(), open()]);
    const features = Object.fromEntries(PACKAGES.map(({ name }) => [name, '^1.0.0']));
    annex.sandbox.setCore({ features });
    for (const pkg of PACKAGES) {
      annex.sandbox.plantEntry({
        feature: pkg.name,
        packages: [pkg],
        specs: { [pkg.name]: '^1.0.0' },
      });
      plain.sandbox.addPackage('app/node_modules', pkg);
    }
  });

  const preloads = [
    ['--import', 'main.mjs'],
    ['--import', 'main.cjs'],
    ['--require', 'main.mjs'],
    ['--require', 'main.cjs'],
  ] as const;

  test.each(preloads)(
    '%s: every request of %s resolves from the store as from node_modules',
    async (flag, main) => {
      const { sandbox, report } = annex;
      const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
      const seen = await report([flag, sandbox.loader, main], env);
      expect(seen).toEqual(await plain.report([main]));
      const specifiers = Object.values(seen).filter((found) => typeof found === 'object');
      expect(specifiers).toHaveLength(SPECIFIERS.length);
      expect(JSON.stringify(seen)).toContain(MARKER);
    },
  );

  test('require.resolve with paths is left to Node, as is require.resolve.paths', async () => {
    const { sandbox, report } = annex;
    sandbox.write(
      'app/paths.cjs',
      `const attempt = (ask) => { try { return ask(); } catch ({ code }) { return code; } };
       console.log(JSON.stringify({
         elsewhere: attempt(() => require.resolve('cjs-only', { paths: ['/'] })),
         here: attempt(() => require.resolve('cjs-only', { paths: [__dirname] })),
         first: require.resolve.paths('cjs-only')[0].endsWith('/app/node_modules'),
       }));`,
    );
    const seen = await report(['--require', sandbox.loader, 'paths.cjs'], {
      ANNEX_STORE: sandbox.store,
    });
    expect(seen).toEqual({
      elsewhere: 'MODULE_NOT_FOUND',
      here: 'MODULE_NOT_FOUND',
      first: true,
    });
  });
});

describe.each(nodes)('$label, nothing installed yet', ({ path: node }) => {
  let registry: Registry;
  let sandbox: Sandbox;

  beforeAll(async () => {
    registry = await startRegistry(PACKAGES);
    sandbox = await createSandbox({ registry });
  });

  test('every form of request installs a missing package; G2, G7: the next run is silent and offline, and the core unchanged', async () => {
    const names = ['@acme/deep', 'esm-only', 'dual', 'cjs-only', 'cjs-exports'];
    sandbox.setCore({ features: Object.fromEntries(names.map((name) => [name, '^1.0.0'])) });
    sandbox.write(
      'app/main.mjs',
      `import { subpath } from '@acme/deep/sub';
       import { createRequire } from 'node:module';
       const require = createRequire(import.meta.url);
       const { marker } = await import('esm-only');
       const resolved = import.meta.resolve('dual');
       const required = require('cjs-only').marker;
       const file = require.resolve('cjs-exports');
       const found = [resolved, file].map((path) => path.split('/node_modules/').at(-1));
       console.log(JSON.stringify([subpath, marker, required, ...found]));`,
    );
    const answer = ['./sub', MARKER, MARKER, 'dual/index.mjs', 'cjs-exports/index.js'];
    const before = sandbox.digest('app');
    const env = { ANNEX_STORE: sandbox.store };
    const first = await sandbox.run(['--import', sandbox.loader, 'main.mjs'], { node, env });
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual(answer);
    expect(dropSlowness(first.stderr).split('\n')).toEqual([
      ...names.flatMap((name) => [
        `annex: installing ${name} (${name}@^1.0.0, not locked) into ${sandbox.store}`,
        expect.stringMatching(
          `^annex: installed ${name} 1.0.0 in \\d+\\.\\d s \\(1 package, \\d+\\.\\d MB\\)$`,
        ),
      ]),
      '',
    ]);
    const stored = sandbox.digest('volume');
    const asked = registry.requests.length;
    expect(asked).toBeGreaterThan(0);

    const second = await sandbox.run(['--import', sandbox.loader, 'main.mjs'], { node, env });
    expect(second).toMatchObject({ code: 0, stdout: first.stdout, stderr: '' });
    expect(registry.requests).toHaveLength(asked);
    expect(sandbox.digest('app')).toEqual(before);
    expect(sandbox.digest('volume')).toEqual(stored);
  });
});
