/** import() of a feature that is not installed: the program goes on meanwhile, and gets what it gets from plain Node. */
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { splitLines } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { makeGate, type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { answerAfterTick, TICK } from '../support/ticks.ts';

const packages: PackageFixture[] = [
  ...['alpha', 'beta', 'gamma'].map((name) => esmPackage(name, '1.0.0', name)),
  {
    name: 'odd',
    version: '1.0.0',
    files: {
      'thenable.js': 'export const then = (resolve) => resolve("of then");',
      'data.json': '{ "marker": "data" }',
      'link.js': "import { absent } from './other.js';",
      'other.js': '',
      'syntax.js': 'export default {;',
      'throws.js': "throw new Error('as it loads');",
    },
    manifest: { type: 'module' },
  },
];
const names = packages.map(({ name }) => name);

let registry: Registry;
let sandbox: Sandbox;
beforeAll(async () => {
  registry = await startRegistry(packages);
  sandbox = await createSandbox({ registry });
  sandbox.setCore({ features: Object.fromEntries(names.map((name) => [name, '^1.0.0'])) });
  const { code, stderr } = await sandbox.annex(['lock']);
  if (code !== 0) throw new Error(stderr);
});

let count = 0;
let store: string;
beforeEach(() => {
  count += 1;
  store = join(sandbox.root, 'volume', `${count}`);
});
afterEach(() => registry.fault(undefined));

/** Runs a program of the application; returns the JSON that it prints. */
async function run(text: string, options: RunOptions, hasLoader = true) {
  const file = sandbox.write(`app/main-${count}.mjs`, text);
  const args = hasLoader ? ['--import', sandbox.loader, file] : [file];
  const env = { ANNEX_STORE: store, ...options.env };
  const { stdout, stderr, code } = await sandbox.run(args, { ...options, env });
  if (code !== 0) throw new Error(stderr);
  return { data: JSON.parse(stdout), lines: splitLines(stderr) };
}

/** Files that export `load`, which imports a package. */
const forms: Record<string, string> = {
  'literal.mjs': "export const load = () => import('alpha');",
  'template.mjs': 'export const load = () => import(`alpha`);',
  'computed.mjs': 'export const load = (name) => import(name);',
  'common.cjs': "exports.load = () => import('alpha');",
  'eval.cjs': 'exports.load = () => eval(\'import("alpha")\');',
  'function.mjs': 'export const load = new Function(\'return import("alpha")\');',
  'typed.mts': 'export const load = (name: string): Promise<object> => import(name);',
};

/** Lines of a program that collects the results of imports. */
const ATTEMPT = `
const attempt = async (load) => {
  try {
    const got = await load();
    return typeof got === 'string' ? got : { ...got };
  } catch ({ name, code, message, stack, cause }) {
    return { name, code, message: message.split('\\n')[0], stack, why: cause?.code };
  }
};
`;

describe.each(nodes)('$label', (node) => {
  const options = { node: node.path };
  const files = Object.keys(forms).filter((file) => node.major > 22 || !file.endsWith('ts'));

  test('G7: no form of import() blocks the event loop, and each gives the namespace itself', async () => {
    for (const file of files) sandbox.write(`app/${file}`, forms[file] as string);
    const ticked = answerAfterTick(registry);
    const { data } = await run(
      `${TICK}
       const loads = [];
       for (const file of ${JSON.stringify(files)}) loads.push((await import('./' + file)).load);
       const namespaces = await Promise.all(loads.map((load) => load('alpha')));
       const again = await import('alpha');
       console.log(JSON.stringify([again.marker, namespaces.map((one) => one === again)]));`,
      options,
    );
    expect(data).toEqual(['alpha', files.map(() => true)]);
    await ticked;
  });
});

// Node 20 resolves imports in another thread, which waits: its errors are copies, and its calls wait in turn.
describe.each(nodes.filter(({ major }) => major > 20))('$label', (node) => {
  const options = { node: node.path };

  test('gives namespaces and errors as plain Node does, stacks included', async () => {
    const text = `${ATTEMPT}
      const caller = async (load) => await attempt(load);
      const results = await Promise.all([
        caller(() => import('odd/thenable.js')),
        caller(() => import('odd/data.json', { with: { type: 'json' } })),
        caller(() => import('odd/link.js')),
        caller(() => import('odd/syntax.js')),
        caller(() => import('odd/throws.js')),
        caller(() => import('odd/data.json')),
        caller(() => import('odd/absent.js')),
      ]);
      console.log(JSON.stringify(results));`;
    const { data } = await run(text, options);
    const installed = await run(text, options);
    sandbox.addPackage('plain/node_modules', packages[3] as PackageFixture);
    const file = sandbox.write(`plain/main-${count}.mjs`, text);
    const plain = await sandbox.run([file], options);
    const normalize = (results: unknown): unknown[] =>
      JSON.parse(
        JSON.stringify(results)
          .replace(/file:\/\/\/[^ )"]*?(?=\/(?:node_modules|main-))/g, '<root>')
          // Node lists this call of its own when a promise of the event loop led here.
          .replace(/\\n +at process\.processTicksAndRejections [^\\"]*/g, ''),
      );
    expect(normalize(data)).toEqual(normalize(installed.data));
    // The stacks of the last two end in the hooks of annex, installed or not.
    const shown = (results: unknown) => normalize(results).slice(0, 5);
    expect(shown(data)).toEqual(shown(JSON.parse(plain.stdout)));
    expect(plain.stdout).toContain('at async caller');
  });

  test('calls share one install and its failure; one line reports it, and a later call fails at once', async () => {
    registry.fault({ kind: 'status', status: 500 }, /alpha.*tgz/);
    const { data, lines } = await run(
      `${ATTEMPT}
       const loads = [() => import('alpha'), () => import('alpha/sub'), () => import('alpha')];
       const results = await Promise.all(loads.map(attempt));
       results.push(await attempt(loads[0]));
       console.log(JSON.stringify(results.map(({ stack, ...rest }) => rest)));`,
      options,
    );
    const message = expect.stringMatching(/^Cannot find package 'alpha' imported from .*main-/);
    const failure = { name: 'Error', code: 'ERR_MODULE_NOT_FOUND', message, why: 'ANNEX_OFFLINE' };
    expect(data).toEqual([failure, failure, failure, failure]);
    expect(lines.filter((line) => line.startsWith('annex: installing'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('annex: alpha unavailable'))).toHaveLength(1);
  });

  test('the stack of a failed call ends in its caller, as without annex', async () => {
    const text = `${ATTEMPT}
      Error.stackTraceLimit = 50;
      const first = () => import('alpha/absent');
      const second = () => import('alpha/absent');
      const results = await Promise.all([attempt(first), attempt(second)]);
      console.log(JSON.stringify(results.map(({ stack }) => stack.split('importModuleDynamicallyCallback')[1])));`;
    registry.fault({ kind: 'status', status: 500 }, /alpha/);
    const { data } = await run(text, options);
    const plain = await run(text, options, false);
    expect(data).toEqual(plain.data);
    expect(data[1]).toMatch(/at second .*main-/);
  });

  test('ensure and import() share one install', async () => {
    const { data, lines } = await run(
      `import { ensure } from 'annex';
       const [{ where }, { marker }] = await Promise.all([ensure('alpha'), import('alpha')]);
       console.log(JSON.stringify([where, marker]));`,
      options,
    );
    expect(data).toEqual(['store', 'alpha']);
    expect(lines.filter((line) => line.startsWith('annex: installing'))).toHaveLength(1);
  });

  test('a data: module finds no feature that a file has waited for', async () => {
    const inData = `attempt(() => import('data:text/javascript,import "alpha";'))`;
    const report = `const { stack, ...failure } = await ${inData};
       console.log(JSON.stringify(failure));`;
    const { data } = await run(`${ATTEMPT}\nawait import('alpha');\n${report}`, options);
    const plain = await run(`${ATTEMPT}\n${report}`, options, false);
    expect(data).toEqual(plain.data);
    expect(data.message).toMatch(/"alpha"/);
  });

  test('features that one graph imports statically are installed in one step', async () => {
    sandbox.write('app/first.mjs', "export { marker as first } from 'alpha';");
    sandbox.write('app/second.mjs', "export { marker as second } from 'beta';");
    const isAsked = (name: string) => () =>
      registry.requests.some((line) => line.includes(`${name}-1.0.0.tgz`));
    registry.requests.length = 0;
    const { until, letGo } = makeGate();
    registry.fault({ kind: 'late', until }, /(?:alpha|beta|gamma).*tgz/);
    const program = run(
      `import { first } from './first.mjs';
       import { second } from './second.mjs';
       import { marker as third } from 'gamma';
       console.log(JSON.stringify([first, second, third]));`,
      options,
    );
    for (const name of ['alpha', 'beta', 'gamma']) await expect.poll(isAsked(name)).toBe(true);
    letGo();
    expect((await program).data).toEqual(['alpha', 'beta', 'gamma']);
  });

  test.each([
    ['the handler of a signal', "process.kill(process.pid, 'SIGTERM')", 0, '"handled"\n'],
    ['process.exit', 'process.exit(3)', 3, ''],
    ['an error that nothing handles', "throw new Error('of the program')", 1, ''],
  ])('%s ends the program and its installer at once', async (_, end, code, stdout) => {
    registry.fault({ kind: 'hang' }, /alpha.*tgz/);
    const file = sandbox.write(
      `app/main-${count}.mjs`,
      `import { readFileSync } from 'node:fs';
       process.on('SIGTERM', () => {
         console.log('"handled"');
         process.exit();
       });
       import('alpha');
       const children = '/proc/self/task/' + process.pid + '/children';
       setInterval(() => {
         if (readFileSync(children, 'utf8') !== '') ${end};
       }, 20);`,
    );
    // The installer writes to the same stderr, and the run ends with the last process that has it open.
    const args = ['--import', sandbox.loader, file];
    const result = await sandbox.run(args, { ...options, env: { ANNEX_STORE: store } });
    expect(result).toMatchObject({ code, stdout });
  });
});
