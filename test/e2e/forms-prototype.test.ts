/** Properties on Object.prototype do not change annex's answers. */
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** Names of results of annex, and of options of Node's file system. */
const KEYS = [
  ...[
    'entry',
    'refusal',
    'error',
    'result',
    'look',
    'verdict',
    'blocked',
    'problem',
    'code',
    'dir',
  ],
  ...['recursive', 'withFileTypes', 'throwIfNoEntry', 'bigint', 'flag', 'mode', 'get', 'value'],
];

/** Makes all requests in a new thread for each property, and reports the answers that differ from the usual ones. */
const PROGRAM = `
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { isAvailable, status } from 'annex';
const attempt = async (ask) => {
  try { return (await ask()).marker; } catch (error) { return [error?.code, error?.cause?.code].join(' '); }
};
if (isMainThread) {
  const odd = {};
  for (const key of JSON.parse(process.argv[2])) {
    for (const value of [undefined, null, true, 'text', { text: 'x' }]) {
      const [seen] = await once(new Worker(new URL(import.meta.url), { workerData: { key, value } }), 'message');
      if (seen !== JSON.parse(process.argv[3]).join()) odd[key + ' ' + JSON.stringify(value)] = seen;
    }
  }
  console.log(JSON.stringify(odd));
} else {
  const require = createRequire(import.meta.url);
  const asker = require('asker');
  Object.defineProperty(Object.prototype, workerData.key, { value: workerData.value, writable: true, configurable: true });
  const seen = [
    await attempt(() => import('esm-only')),
    await attempt(() => require('cjs-only')),
    await attempt(() => import('absent')),
    await attempt(() => require('absent')),
    await attempt(() => asker.load('./part.mjs')),
    await attempt(() => asker.find('part')),
    await attempt(() => asker.load('./absent.mjs')),
    await attempt(() => asker.find('./absent.cjs')),
    isAvailable('esm-only'),
    status().features.map(({ where }) => where).join(' '),
    Object.prototype[workerData.key] === workerData.value,
  ];
  delete Object.prototype[workerData.key];
  parentPort.postMessage(seen.join());
}`;

/** A package whose files make requests. */
const ASKER = {
  name: 'asker',
  version: '1.0.0',
  files: {
    'index.js':
      'exports.load = (specifier) => import(specifier);\nexports.find = (specifier) => require(specifier);',
    'part.mjs': "export const marker = 'from the entry';",
  },
};

const USUAL = [
  ...['from the store', 'from the store'],
  ...['ERR_MODULE_NOT_FOUND ANNEX_DENIED', 'MODULE_NOT_FOUND ANNEX_DENIED'],
  ...['from the entry', 'from the entry', 'ERR_MODULE_NOT_FOUND ', 'MODULE_NOT_FOUND '],
  ...['true', 'store store denied store', 'true'],
];

describe.each(nodes)('$label', ({ path: node, major }) => {
  // With `get`, Node 20 cannot pass an error from its hooks thread, whatever the hooks are.
  const keys = KEYS.filter((key) => major >= 22 || key !== 'get');
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await createSandbox();
    const features = { 'esm-only': '*', 'cjs-only': '*', absent: '*', asker: '*' };
    sandbox.setCore({ features });
    for (const pkg of [
      esmPackage('esm-only', '1.0.0', 'from the store'),
      cjsPackage('cjs-only', '1.0.0', 'from the store'),
    ]) {
      sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
    }
    sandbox.plantEntry({
      feature: 'asker',
      packages: [ASKER, cjsPackage('part', '1.0.0', 'from the entry')],
      specs: { asker: '*' },
    });
    sandbox.write('app/main.mjs', PROGRAM);
  });

  test('whatever the name and value of the property', async () => {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const lists = [JSON.stringify(keys), JSON.stringify(USUAL)];
    const args = ['--import', sandbox.loader, 'main.mjs', ...lists];
    const { code, stdout, stderr } = await sandbox.run(args, { node, env });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({});
  });
});
