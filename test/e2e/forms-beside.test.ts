/** Other loaders in the same process, registered before and after annex: all hooks run, and the core wins. */
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { packInstalledTree } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const STORE = 'from the store';
const CORE = 'from the core';

/** Counts the requests in its own resolve hook, and resolves the specifier `alias`. */
const HOOK_BODY = `(specifier, context, nextResolve) => {
  globalThis.seen = (globalThis.seen ?? 0) + 1;
  return nextResolve(specifier === 'alias' ? 'esm-only' : specifier, context);
}`;

/** Loaders, as the files that register them. */
const LOADERS: Record<string, string> = {
  'module.registerHooks': `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve: ${HOOK_BODY}, load: (url, context, nextLoad) => nextLoad(url, context) });`,
  'module.register': `
    import { register } from 'node:module';
    const source = ${JSON.stringify(`export const resolve = ${HOOK_BODY};`)};
    register('data:text/javascript,' + encodeURIComponent(source));`,
  'Module._resolveFilename': `
    import Module from 'node:module';
    const original = Module._resolveFilename;
    Module._resolveFilename = function (request, ...rest) {
      globalThis.seen = (globalThis.seen ?? 0) + 1;
      return original.call(this, request === 'alias' ? 'cjs-only' : request, ...rest);
    };`,
  'Module.prototype.require': `
    import Module from 'node:module';
    const original = Module.prototype.require;
    Module.prototype.require = function (request) {
      globalThis.seen = (globalThis.seen ?? 0) + 1;
      return original.call(this, request);
    };`,
  'import-in-the-middle': `
    import { register } from 'node:module';
    import { Hook } from 'import-in-the-middle';
    import * as sync from 'import-in-the-middle/register-hooks.mjs';
    if (sync.supportsSyncHooks()) sync.register();
    else register('import-in-the-middle/hook.mjs', import.meta.url);
    Hook(['esm-only'], (exported) => { exported.marker += ', hooked'; globalThis.seen = 1; });`,
};

const PROGRAM = `
import { createRequire } from 'node:module';
import { marker as star } from './star.mjs';
import { marker } from 'esm-only';
import { marker as shipped } from 'shipped';
const require = createRequire(import.meta.url);
const attempt = async (ask) => { try { return (await ask()).marker; } catch ({ code }) { return code; } };
console.log(JSON.stringify({
  star,
  static: marker,
  shipped,
  dynamic: await attempt(() => import('esm-only')),
  require: await attempt(() => require('cjs-only')),
  resolve: await attempt(() => ({ marker: require.resolve('cjs-only').split('/node_modules/').at(-1) })),
  requireShipped: await attempt(() => require('shipped')),
  query: await attempt(() => import('./part.mjs?with=a&query')),
  absent: await attempt(() => import('absent')),
  absentRequired: await attempt(() => require('absent')),
  seen: globalThis.seen > 0,
}));`;

const ALIAS = `
import { createRequire } from 'node:module';
const { marker } = await import('alias').catch(() => createRequire(import.meta.url)('alias'));
console.log(JSON.stringify({ marker }));`;

/** A loader that answers each request for a file with a new URL. */
const VERSIONS = `
import { register } from 'node:module';
const source = "let count = 0; export const resolve = async (specifier, context, nextResolve) => {" +
  "const answer = await nextResolve(specifier, context);" +
  "return answer.url.endsWith('/part.js') ? { ...answer, url: answer.url + '?' + ++count } : answer; };";
register('data:text/javascript,' + encodeURIComponent(source));`;

describe.each(nodes)('$label', ({ path: node, major, minor }) => {
  let annex: Sandbox;
  let plain: Sandbox;

  beforeAll(async () => {
    [annex, plain] = await Promise.all([createSandbox(), createSandbox()]);
    annex.setCore({
      features: { 'esm-only': '*', 'cjs-only': '*', shipped: '*', absent: '*', kit: '*' },
    });
    for (const pkg of [
      esmPackage('esm-only', '1.0.0', STORE),
      cjsPackage('cjs-only', '1.0.0', STORE),
    ]) {
      annex.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
      plain.addPackage('app/node_modules', pkg);
    }
    const shadow = cjsPackage('shipped', '2.0.0', STORE);
    annex.plantEntry({ feature: 'shipped', packages: [shadow], specs: { shipped: '*' } });
    for (const sandbox of [annex, plain]) {
      sandbox.addPackage('app/node_modules', cjsPackage('shipped', '1.0.0', CORE));
      for (const pkg of packInstalledTree('import-in-the-middle')) {
        sandbox.addPackage('app/node_modules', pkg);
      }
      sandbox.write('app/main.mjs', PROGRAM);
      sandbox.write('app/alias.mjs', ALIAS);
      sandbox.write('app/part.mjs', `export { marker } from 'esm-only';`);
      sandbox.write('app/star.mjs', `export * from 'esm-only';`);
      for (const [name, content] of Object.entries(LOADERS)) {
        sandbox.write(`app/${name}.mjs`, content);
      }
    }
  });

  async function run(sandbox: Sandbox, preloads: string[], main: string) {
    const flags = preloads.flatMap((preload) => ['--import', preload]);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'error' };
    // Node 26 deprecates module.register, which the other loader calls.
    const quiet = '--disable-warning=DEP0205';
    const { code, stdout, stderr } = await sandbox.run([quiet, ...flags, main], { node, env });
    return { code, stderr, report: code === 0 ? (JSON.parse(stdout) as object) : stdout };
  }

  const names = Object.keys(LOADERS).filter(
    (name) => major >= 22 || name !== 'module.registerHooks',
  );
  const instrument = 'import-in-the-middle';
  const isAsync = (name: string): boolean =>
    name === 'module.register' || (name === instrument && major === 22 && minor < 22);
  /** Hooks of module.register run after synchronous ones, whatever the order. */
  const runsFirst = (name: string): boolean => major < 22 || !isAsync(name);

  test.each(names.filter((name) => name !== instrument))(
    '%s, registered before annex or after: the store behaves like node_modules',
    async (name) => {
      const loader = `./${name}.mjs`;
      const oracle = await run(plain, [loader], 'main.mjs');
      const before = await run(annex, [loader, annex.loader], 'main.mjs');
      const after = await run(annex, [annex.loader, loader], 'main.mjs');
      expect({ before, after }).toEqual({ before: oracle, after: oracle });
      expect(oracle).toEqual({
        code: 0,
        stderr: '',
        report: {
          star: STORE,
          static: STORE,
          dynamic: STORE,
          query: STORE,
          shipped: CORE,
          require: STORE,
          requireShipped: CORE,
          resolve: 'cjs-only/index.js',
          absent: 'ERR_MODULE_NOT_FOUND',
          absentRequired: 'MODULE_NOT_FOUND',
          // The counter of module.register is in a separate thread.
          seen: name !== 'module.register',
        },
      });
    },
  );

  test.runIf(runsFirst(instrument))(
    'instrumentation registered after annex: the store behaves like node_modules',
    async () => {
      const oracle = await run(plain, [`./${instrument}.mjs`], 'main.mjs');
      expect(await run(annex, [annex.loader, `./${instrument}.mjs`], 'main.mjs')).toEqual(oracle);
      const hooked = `${STORE}, hooked`;
      expect(oracle).toMatchObject({
        code: 0,
        stderr: '',
        report: { star: hooked, static: hooked, dynamic: hooked },
      });
    },
  );

  test('instrumentation that runs after annex sees all exports but star re-exports', async () => {
    const { code, stderr, report } = await run(
      annex,
      [`./${instrument}.mjs`, annex.loader],
      'main.mjs',
    );
    const hooked = `${STORE}, hooked`;
    expect({ code, report }).toMatchObject({
      code: 0,
      report: { static: hooked, dynamic: hooked, shipped: CORE, require: STORE },
    });
    expect(stderr).not.toContain('annex:');
  });

  test.each(
    names.filter((name) => runsFirst(name) && name !== instrument && !name.endsWith('.require')),
  )(
    'a specifier that %s renames is looked up in the store under its new name if %s runs first',
    async (name) => {
      expect(await run(annex, [annex.loader, `./${name}.mjs`], 'alias.mjs')).toEqual({
        code: 0,
        stderr: '',
        report: { marker: STORE },
      });
    },
  );

  test('a loader that gives a file a new URL at each import by path does so in an entry', async () => {
    const kit = {
      ...esmPackage('kit', '1.0.0', STORE),
      files: { 'part.js': 'export default import.meta.url;' },
    };
    const entry = annex.plantEntry({ feature: 'kit', packages: [kit], specs: { kit: '*' } });
    plain.addPackage('app/node_modules', kit);
    const runIn = (sandbox: Sandbox, modules: string, preloads: string[]) => {
      sandbox.write('app/versions.mjs', VERSIONS);
      sandbox.write(
        'app/twice.mjs',
        `const load = async () => (await import('${modules}/kit/part.js')).default.split('/').pop();
console.log(JSON.stringify([await load(), await load()]));`,
      );
      return run(sandbox, ['./versions.mjs', ...preloads], 'twice.mjs');
    };
    const report = ['part.js?1', 'part.js?2'];
    expect(await runIn(plain, `${plain.core}/node_modules`, [])).toMatchObject({ report });
    expect(await runIn(annex, `${entry}/node_modules`, [annex.loader])).toMatchObject({ report });
  });
});
