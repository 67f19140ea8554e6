/** A missing package throws Node's own error with the reason added, and can be imported once it is there. */
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'it came later';
const PACKAGES = [esmPackage('esm-only', '1.0.0', MARKER), cjsPackage('cjs-only', '1.0.0', MARKER)];

/** Requests in every way, creates the packages, and requests again. */
const PROGRAM = `
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { AnnexError } from 'annex';
const require = createRequire(import.meta.url);
const ways = {
  import: () => import('esm-only'),
  subpath: () => import('cjs-only/lib/extra.js'),
  staticInParent: () => import('./parent.mjs'),
  resolve: () => import.meta.resolve('esm-only'),
  require: () => require('cjs-only'),
  requireResolve: () => require.resolve('cjs-only'),
  requireInParent: () => require('./parent.cjs'),
  importOfParent: () => import('./other-parent.cjs'),
};
const describe = (error) => {
  const { code, message, url, requireStack, cause } = error;
  return {
    name: error.constructor.name, code, message, url, requireStack, keys: Object.keys(error),
    inStack: error.stack.includes(message),
    cause: cause && { name: cause.name, isOurs: cause instanceof AnnexError, code: cause.code, feature: cause.feature, specifier: cause.specifier, hint: cause.hint, message: cause.message },
  };
};
const ask = async () => {
  const answers = {};
  for (const [way, attempt] of Object.entries(ways)) {
    try { answers[way] = { marker: (await attempt()).marker ?? 'resolved' }; }
    catch (error) { answers[way] = describe(error); }
  }
  return answers;
};
const before = await ask();
cpSync(process.env.FROM, process.env.TO, { recursive: true });
console.log(JSON.stringify({ before, after: await ask() }));`;

interface Answer {
  message?: string;
  marker?: string;
  cause?: Record<string, unknown>;
}

interface Report {
  before: Record<string, Answer>;
  after: Record<string, Answer>;
}

describe.each(nodes)('G6: never worse than absent, $label', ({ path: node }) => {
  let annex: Sandbox;
  let plain: Sandbox;
  let seen: Report;
  let oracle: Report;

  async function report(sandbox: Sandbox, flags: string[], to: string): Promise<Report> {
    for (const type of ['.mjs', '.cjs']) {
      sandbox.write(
        `app/parent${type}`,
        type === '.mjs' ? `export * from 'esm-only';` : `module.exports = require('cjs-only');`,
      );
    }
    sandbox.write('app/other-parent.cjs', `module.exports = require('cjs-only');`);
    sandbox.write('app/main.mjs', PROGRAM);
    const env = {
      ANNEX_STORE: sandbox.store,
      ANNEX_ALLOW_INSTALLS: 'off',
      ANNEX_LOG: 'error',
      FROM: `${sandbox.root}/later`,
      TO: to,
    };
    const { code, stderr, stdout } = await sandbox.run([...flags, 'main.mjs'], { node, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout.replaceAll(sandbox.root, '')) as Report;
  }

  beforeAll(async () => {
    [annex, plain] = await Promise.all([createSandbox(), createSandbox()]);
    annex.setCore({ features: { 'esm-only': '*', cjs: { packages: { 'cjs-only': '*' } } } });
    for (const pkg of PACKAGES) {
      const feature = pkg.name === 'cjs-only' ? 'cjs' : pkg.name;
      annex.plantEntry({ store: 'later', feature, packages: [pkg], specs: { [pkg.name]: '*' } });
      plain.addPackage('later', pkg);
    }
    seen = await report(annex, ['--import', annex.loader], annex.store);
    oracle = await report(plain, [], `${plain.core}/node_modules`);
  });

  test("G6: a miss is Node's own error with one more line, in every form of request", () => {
    expect(Object.keys(seen.before)).toHaveLength(8);
    for (const [way, { cause, message = '', ...rest }] of Object.entries(seen.before)) {
      const lines = message.split('\n');
      expect({ way, message: lines.slice(0, -1).join('\n'), ...rest }).toEqual({
        way,
        ...oracle.before[way],
      });
      expect(lines.at(-1)).toBe(cause?.message);
    }
  });

  test('the cause has the feature, the reason, the importing file, the state and a hint', () => {
    const reason = 'installs are switched off by ANNEX_ALLOW_INSTALLS';
    const hint = 'unset ANNEX_ALLOW_INSTALLS';
    const end = `Other features unaffected. Now: ${hint}`;
    expect(seen.before.import?.cause).toEqual({
      name: 'AnnexError',
      isOurs: true,
      code: 'ANNEX_DENIED',
      feature: 'esm-only',
      specifier: 'esm-only',
      hint,
      message: `annex: esm-only unavailable (ANNEX_DENIED): ${reason}, asked by main.mjs. ${end}`,
    });
    expect(seen.before.subpath?.cause).toMatchObject({
      feature: 'cjs',
      specifier: 'cjs-only/lib/extra.js',
      message: `annex: cjs unavailable (ANNEX_DENIED): ${reason}, asked by main.mjs. ${end}`,
    });
    expect(seen.before.requireInParent?.cause).toMatchObject({
      feature: 'cjs',
      specifier: 'cjs-only',
      message: `annex: cjs unavailable (ANNEX_DENIED): ${reason}, asked by parent.cjs. ${end}`,
    });
  });

  test('a package installed later is found by the next request, wherever Node itself retries', () => {
    const outcome = (report: Report) =>
      Object.entries(report.after).map(([way, { marker }]) => [way, marker ?? 'still missing']);
    expect(outcome(seen)).toEqual(outcome(oracle));
    for (const way of ['import', 'subpath', 'require', 'requireInParent']) {
      expect({ way, marker: seen.after[way]?.marker }).toEqual({ way, marker: MARKER });
    }
  });

  /** Output of a program that misses. */
  async function miss(name: string, content: string) {
    annex.write(`app/${name}`, content);
    const env = {
      ANNEX_STORE: `${annex.root}/volume/empty`,
      ANNEX_ALLOW_INSTALLS: 'off',
      ANNEX_LOG: 'error',
    };
    return annex.run(['--import', annex.loader, name], { node, env });
  }

  test('G6: the usual try and catch of optional packages works', async () => {
    const { code, stdout, stderr } = await miss(
      'idiom.mjs',
      `import { createRequire } from 'node:module';
       const print = (what) => console.log(what);
       try { await import('esm-only'); } catch (e) { if (e.code !== 'ERR_MODULE_NOT_FOUND') throw e; print('import'); }
       try { createRequire(import.meta.url)('cjs-only'); } catch (e) { if (e.code !== 'MODULE_NOT_FOUND') throw e; print('require'); }
       try { createRequire(import.meta.url)('cjs-only'); } catch (e) { if (!/^Cannot find module 'cjs-only'/.test(e.message)) throw e; print('message'); }
       await import('esm-only').catch((e) => { if (!(e instanceof Error)) throw e; print('instance'); });`,
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'import\nrequire\nmessage\ninstance\n',
      stderr: '',
    });
  });

  test.each([
    ['static.mjs', `import 'esm-only';`],
    ['dynamic.mjs', `await import('esm-only');`],
    ['rejected.cjs', `import('esm-only');`],
    ['require.cjs', `require('esm-only');`],
    [
      'printed.mjs',
      `await import('esm-only').catch((error) => { console.error(error); process.exit(1); });`,
    ],
  ])('an uncaught miss in %s prints the reason', async (name, content) => {
    const { code, stderr } = await miss(name, content);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Cannot find (?:package|module) 'esm-only'/);
    expect(stderr).toContain(
      `annex: esm-only unavailable (ANNEX_DENIED): installs are switched off by ANNEX_ALLOW_INSTALLS, asked by ${name}. `,
    );
    expect(stderr).toMatch(/code: '(?:ERR_)?MODULE_NOT_FOUND'/);
  });
});
