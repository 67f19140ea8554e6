/** The core's own files and importers start installs; packages of the core only use what is installed. */
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cjsPackage, dualPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const names = ['probed', 'by-package', 'by-directory', 'in-core'];
/** Requests specifiers in sequence, each from a given file. */
const PROGRAM = `const outcomes = [];
for (const pair of process.argv.slice(2)) {
  const [file, name] = pair.split(' ');
  const { default: ask } = await import(file);
  outcomes.push(await ask(name).then(
    ({ marker }) => marker,
    ({ code, cause }) => [code, cause?.code, cause?.message.includes('own files')].join(' '),
  ));
}
console.log(JSON.stringify(outcomes));
`;
const ASK = 'export default (name) => import(name);\n';

let registry: Registry;
let sandbox: Sandbox;

beforeAll(async () => {
  registry = await startRegistry(names.map((name) => esmPackage(name, '1.0.0', 'installed')));
});

beforeEach(async () => {
  sandbox = await createSandbox({ registry });
  const importers = [join(sandbox.root, 'plugins'), '@acme/importer'];
  const features = Object.fromEntries(names.map((name) => [name, '^1.0.0']));
  sandbox.setCore({ features, importers });
  for (const name of ['dep', '@acme/importer', '@acme/other']) {
    sandbox.addPackage('app/node_modules', cjsPackage(name, '1.0.0', 'core'));
  }
  sandbox.addPackage('app/node_modules', dualPackage('in-core', '1.0.0', 'core'));
  sandbox.write('app/main.mjs', PROGRAM);
  for (const place of ['dep', '@acme/importer', '@acme/other']) {
    sandbox.write(`app/node_modules/${place}/ask.mjs`, ASK);
  }
  for (const place of ['plugins/one', 'outside']) sandbox.write(`${place}/ask.mjs`, ASK);
});

describe.each(nodes)('$label', (node) => {
  const run = async (pairs: [string, string][]) => {
    const args = pairs.map(([place, name]) => `${join(sandbox.root, place, 'ask.mjs')} ${name}`);
    const flags = ['--import', sandbox.loader, 'main.mjs', ...args];
    const env = { ANNEX_STORE: sandbox.store };
    const { stdout } = await sandbox.run(flags, { node: node.path, env });
    return JSON.parse(stdout) as string[];
  };

  test('a package of the core, and a file outside, start no install', async () => {
    registry.requests.length = 0;
    const denied = 'ERR_MODULE_NOT_FOUND ANNEX_DENIED true';
    const outcomes = await run([
      ['app/node_modules/dep', 'probed'],
      ['app/node_modules/@acme/other', 'probed'],
      ['outside', 'probed'],
      ['outside', 'in-core'],
      ['plugins/one', 'in-core'],
    ]);
    const asNode = 'ERR_MODULE_NOT_FOUND  ';
    expect(outcomes).toEqual([denied, denied, asNode, asNode, 'core']);
    expect(registry.requests).toEqual([]);
    expect(sandbox.digest(sandbox.store)).toEqual({});
  });

  test('importers start installs, and then packages of the core use the entries', async () => {
    const outcomes = await run([
      ['app/node_modules/@acme/importer', 'by-package'],
      ['plugins/one', 'by-directory'],
      ['app/node_modules/dep', 'by-package'],
      ['app/node_modules/dep', 'by-directory'],
      ['outside', 'by-package'],
    ]);
    const installed = Array.from({ length: 4 }, () => 'installed');
    expect(outcomes).toEqual([...installed, 'ERR_MODULE_NOT_FOUND  ']);
  });
});
