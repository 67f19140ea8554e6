/** Sources other than node_modules: NODE_PATH, the folders of the home, builtins, data: URLs, --eval. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, dualPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { type Answers, keyOf, type Question, writeProbe } from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { SHADOW } from '../support/shadow.ts';

/** The last folders that `require` searches; import never does. */
const globals: Record<string, string> = {
  'in-node-path': 'node-path',
  'in-node-modules': 'home/.node_modules',
  'in-node-libraries': 'home/.node_libraries',
};
const held = Object.keys(globals).flatMap((name) => [
  name,
  ...['exports', 'main', 'file'].map((form) => `${name}-${form}`),
]);
const builtins = [
  'fs',
  'node:fs',
  'fs/promises',
  'node:test',
  'sys',
  'os',
  'node:sqlite',
  'node:x',
];
const declaredBuiltins = ['fs', 'sys', 'os'];
/** Builtins that need `node:`, so that their bare names can be packages. */
const free = ['thing', 'test', 'sqlite'];

let sandbox: Sandbox;
/** An entry with packages named like builtins, one of which it claims to share. */
let inEntry: string;

function plantGlobals(): void {
  for (const [name, place] of Object.entries(globals)) {
    sandbox.addPackage(place, cjsPackage(name, '1.0.0', place));
    sandbox.write(`${place}/${name}-exports/package.json`, { exports: {} });
    sandbox.write(`${place}/${name}-main/package.json`, { main: './gone.js' });
    sandbox.write(`${place}/${name}-file.js`, `exports.marker = '${place}';`);
  }
}

beforeAll(async () => {
  sandbox = await createSandbox();
  const names = [...held, ...free, ...declaredBuiltins, 'shipped'];
  sandbox.addPackage('node-path', cjsPackage('undeclared', '1.0.0', 'node-path'));
  sandbox.addPackage('app/node_modules', cjsPackage('shipped', '1.0.0', 'core'));
  sandbox.setCore({ features: Object.fromEntries(names.map((name) => [name, '*'])) });
  plantGlobals();
  const hostile = declaredBuiltins.map((name) => cjsPackage(name, '1.0.0', SHADOW));
  for (const name of names) {
    const marker = free.includes(name) ? 'store' : `${SHADOW} store`;
    const packages = [dualPackage(name, '1.0.0', marker), ...hostile] as const;
    const shared = { os: { ranges: ['*'], version: '1.0.0' } };
    const entry = sandbox.plantEntry({
      feature: name,
      packages,
      specs: { [name]: '*' },
      ...(name === 'thing' && { shared }),
    });
    if (name === 'thing')
      inEntry = join(entry.slice(sandbox.root.length + 1), 'node_modules/thing');
  }
  sandbox.addPackage('app/node_modules', cjsPackage('os', '1.0.0', SHADOW));
});

/** Silent, because features named like builtins are reported. */
const env = (more: Record<string, string> = {}) => ({
  ANNEX_STORE: sandbox.store,
  ANNEX_ALLOW_INSTALLS: '0',
  ANNEX_LOG: 'silent',
  ...more,
});

describe.each(nodes)('$label', (node) => {
  const askBoth = async (questions: Question[], more: Record<string, string> = {}) => {
    const probe = writeProbe(sandbox, questions);
    const flags = ['--import', sandbox.loader];
    const alone = await probe.run({ node: node.path, env: more });
    const answers = await probe.run({ node: node.path, flags, env: env(more) });
    expect(JSON.stringify([alone, answers])).not.toContain(SHADOW);
    return { alone, answers };
  };
  const loads = (answers: Answers, name: string) =>
    (['import()', 'require'] as const).map((form) => answers[keyOf('app', form, name)]?.marker);

  test('G1: packages in NODE_PATH and the home are Node’s result, and so are their errors', async () => {
    const questions = [...held, ...held.map((name) => `${name}/gone`), 'thing'];
    const NODE_PATH = join(sandbox.root, 'node-path');
    const { alone, answers } = await askBoth(
      questions.map((specifier) => ({ from: 'app', specifier })),
      { NODE_PATH },
    );
    for (const [name, place] of Object.entries(globals)) {
      expect(loads(alone, name)).toEqual([undefined, place]);
    }
    for (const [key, answer] of Object.entries(alone)) {
      if (key.endsWith('thing')) continue;
      const error = answers[key]?.error;
      // The error of an import has the reason against the store; otherwise it is Node's.
      if (error?.cause === undefined) expect.soft(answers[key], key).toEqual(answer);
      else {
        expect.soft(error.cause.code, key).toBe('ANNEX_INVALID_CONFIG');
        expect
          .soft(error.cause.message, key)
          .toMatch(/has that name; require loads it, because of NODE_PATH or the home/);
        expect.soft(error.code, key).toBe(answer.error?.code);
      }
    }
    expect(answers[keyOf('app', 'import()', 'in-node-path')]?.error?.cause).toBeDefined();
    expect(loads(answers, 'thing')).toEqual(['store', 'store']);
  });

  test('G1: such folders are not part of a sealed core, for declared names', async () => {
    const NODE_PATH = [join(sandbox.root, 'node-path'), join(sandbox.core, 'node_modules')].join(
      ':',
    );
    const probe = writeProbe(sandbox, [
      ...held.map((specifier) => ({ from: 'app', specifier })),
      ...['in-node-path/gone', 'in-node-path/lib/extra.js', 'undeclared', 'shipped'].map(
        (specifier) => ({ from: 'app', specifier }),
      ),
      { from: 'elsewhere', specifier: 'in-node-path' },
    ]);
    const flags = ['--import', sandbox.loader];
    const more = { NODE_PATH, ANNEX_SEALED: '1' };
    const answers = await probe.run({ node: node.path, flags, env: env(more) });
    const fromStore = [`${SHADOW} store`, `${SHADOW} store`];
    for (const name of held) expect.soft(loads(answers, name), name).toEqual(fromStore);
    expect(answers[keyOf('app', 'require', 'in-node-path/lib/extra.js')]?.error?.code).toMatch(
      /^ERR_PACKAGE_PATH_NOT_EXPORTED$/,
    );
    expect(loads(answers, 'undeclared')).toEqual([undefined, 'node-path']);
    expect(loads(answers, 'shipped')).toEqual(['core', 'core']);
    const outside = answers[keyOf('elsewhere', 'require', 'in-node-path')];
    expect(outside?.marker).toBe('node-path');
  });

  test('without NODE_PATH the same names come from the store', async () => {
    const probe = writeProbe(sandbox, [{ from: 'app', specifier: 'in-node-path' }]);
    const flags = ['--import', sandbox.loader];
    const answers = await probe.run({ node: node.path, flags, env: env() });
    expect(loads(answers, 'in-node-path')).toEqual([`${SHADOW} store`, `${SHADOW} store`]);
  });

  test('G1: builtins stay builtins, for the core and for entries', async () => {
    const questions = ['app', inEntry].flatMap((from) =>
      builtins.map((specifier) => ({ from, specifier })),
    );
    const { alone, answers } = await askBoth(questions);
    expect(answers).toEqual(alone);
  });

  test('a name that is a builtin only with node: may be a feature', async () => {
    const { answers } = await askBoth(free.map((specifier) => ({ from: 'app', specifier })));
    for (const name of free) expect(loads(answers, name)).toEqual(['store', 'store']);
  });

  test('a module without a path gets Node’s error', async () => {
    const source = `export * from 'thing';`;
    const url = `data:text/javascript,${encodeURIComponent(source)}`;
    const { alone, answers } = await askBoth([{ from: 'app', specifier: url }]);
    expect(Object.values(alone).filter(({ error }) => error).length).toBeGreaterThan(4);
    expect(answers).toEqual(alone);
  });

  test('--eval resolves from the working directory', async () => {
    const script = `import('thing').then((it) => it.marker, (e) => e.code + !!e.cause).then(console.log)`;
    const outcomes = [];
    for (const cwd of ['app', 'home']) {
      const flags = ['--import', sandbox.loader, '--eval', script];
      const more = { ANNEX_CORE: sandbox.core };
      outcomes.push(await sandbox.run(flags, { node: node.path, cwd, env: env(more) }));
    }
    expect(outcomes.map(({ stdout }) => stdout)).toEqual([
      'store\n',
      'ERR_MODULE_NOT_FOUNDfalse\n',
    ]);
  });
});
