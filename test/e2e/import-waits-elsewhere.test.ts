/** import() of a feature that is not installed, in a worker, in the REPL and by phase: as with plain Node. */
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { answerAfterTick, TICK } from '../support/ticks.ts';

/** A module of WebAssembly without any section. */
const EMPTY = Buffer.from('0061736d01000000', 'hex');

const packages = [
  esmPackage('alpha', '1.0.0', 'alpha'),
  { name: 'binary', version: '1.0.0', files: { 'empty.wasm': EMPTY } },
];

let registry: Registry;
let sandbox: Sandbox;
beforeAll(async () => {
  registry = await startRegistry(packages);
  sandbox = await createSandbox({ registry });
  sandbox.setCore({ features: { alpha: '^1.0.0', binary: '^1.0.0' } });
  for (const pkg of packages) sandbox.addPackage('plain/node_modules', pkg);
  const { code, stderr } = await sandbox.annex(['lock']);
  if (code !== 0) throw new Error(stderr);
});

let count = 0;
let env: Record<string, string>;
beforeEach(() => {
  count += 1;
  env = { ANNEX_STORE: join(sandbox.root, 'volume', `${count}`) };
});
afterEach(() => registry.fault(undefined));

/** Runs Node with the preload, with the feature missing. */
const run = (args: string[], options: RunOptions) =>
  sandbox.run(['--import', sandbox.loader, ...args], { ...options, env });

/** Starts Node with its arguments, and closes the input of the REPL after the import has ended. */
const REPL = `import { spawn } from 'node:child_process';
const child = spawn(process.execPath, process.argv.slice(2), { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdout.on('data', (text) => {
  process.stdout.write(text);
  if (String(text).includes('done')) child.stdin.end();
});
child.stdin.write(\`const { get } = require('node:http');
void setInterval(() => get(process.env.npm_config_registry + '/tick', (got) => got.resume()).on('error', () => {}), 100).unref();
const one = await import('alpha'); console.log(one.marker, one === (await import('alpha')), 'done');
\`);
`;

describe.each(nodes)('$label', (node) => {
  const options = { node: node.path };

  test('in a worker, neither its event loop nor that of the main thread is blocked', async () => {
    const worker = sandbox.write(
      'app/worker.mjs',
      `${TICK}
       const namespace = await import('alpha');
       console.log(namespace.marker, namespace === (await import('alpha')));`,
    );
    const main = sandbox.write(
      'app/main.mjs',
      `import { Worker } from 'node:worker_threads';
       new Worker(process.argv[2]).on('error', ({ stack }) => console.log(stack));`,
    );
    const ticked = answerAfterTick(registry);
    const { stdout, stderr } = await run([main, worker], options);
    expect(stdout, stderr).toBe('alpha true\n');
    await ticked;
  });

  test('in the REPL, its event loop is not blocked, and it prints what it prints without annex', async () => {
    const repl = sandbox.write('app/repl.mjs', REPL);
    const ask = (cwd: string, args: string[]) =>
      sandbox.run([repl, ...args, '--interactive'], { ...options, env, cwd });
    const plain = await ask('plain', []);
    expect(plain.stdout).toContain('alpha true done');
    const ticked = answerAfterTick(registry);
    expect((await ask('app', ['--import', sandbox.loader])).stdout).toBe(plain.stdout);
    await ticked;
  });
});

const SOURCE = `import.source('binary/empty.wasm').then(
  (module) => console.log(module instanceof WebAssembly.Module),
  ({ name, message }) => console.log(name, message));
`;

const STATIC = `import source module from 'binary/empty.wasm';
console.log(module instanceof WebAssembly.Module);
`;

/** Command lines that import a module by its source phase. */
const CALLS: Record<string, string[]> = {
  'a file': ['source.mjs'],
  'a static import of a file': ['static.mjs'],
  'a CommonJS file': ['source.cjs'],
  eval: ['eval.mjs'],
  '--eval': ['--eval', SOURCE],
  '--eval of an ES module': ['--input-type=module', '--eval', SOURCE],
  'a data: module': ['data.mjs'],
};

describe.each(nodes.filter(({ major }) => major >= 24))('$label', (node) => {
  const options = { node: node.path };
  beforeAll(() => {
    for (const place of ['app', 'plain']) {
      sandbox.write(`${place}/source.mjs`, SOURCE);
      sandbox.write(`${place}/source.cjs`, SOURCE);
      sandbox.write(`${place}/static.mjs`, STATIC);
      sandbox.write(`${place}/eval.mjs`, `eval(${JSON.stringify(SOURCE)});`);
      const data = `data:text/javascript,${encodeURIComponent(SOURCE)}`;
      sandbox.write(`${place}/data.mjs`, `import ${JSON.stringify(data)};`);
    }
  });

  test.for(Object.entries(CALLS))(
    'the source phase in %s gives what it gives without annex',
    async ([, args]) => {
      const plain = await sandbox.run(args, { ...options, cwd: 'plain' });
      expect((await run(args, options)).stdout).toBe(plain.stdout);
      expect(plain.stdout).not.toBe('');
    },
  );
});
