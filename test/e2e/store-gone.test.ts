/** A store that disappears under a running process: the error of a failed load has a cause. */
import { mkdirSync } from 'node:fs';
import { describe, test } from 'vitest';
import { canMount, mount, unmountAll } from '../support/mount.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox } from '../support/sandbox.ts';

const lazy = (name: string, source: string, manifest: object) => ({
  name,
  version: '1.0.0',
  files: { 'index.js': source, 'part.js': '', 'sub.js': '' },
  manifest: { exports: { '.': './index.js', './sub': './sub.js' }, ...manifest },
});
const packages = [
  lazy('esm', `export const later = () => import('./part.js');`, { type: 'module' }),
  lazy('cjs', `exports.later = async () => require('./part.js');`, {}),
  lazy('late', '', {}),
];

const TMPFS = ['-t', 'tmpfs', '-o', 'size=4m,mode=755', 'tmpfs'];
/** Shell commands on the store, `$0`. */
const WAYS = [
  ['renamed', 'mv "$0" "$0.away"'],
  ['replaced', 'mv "$0" "$0.away" && mkdir "$0"'],
  ...(canMount()
    ? [
        ['unmounted', 'umount -l "$0"'],
        ['covered', `mount ${TMPFS.join(' ')} "$0"`],
      ]
    : []),
] as [how: string, script: string][];

/** Loads one file of each package, makes the store disappear, and requests others. */
const PROGRAM = `
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const esm = await import('esm');
const cjs = require('cjs');
execFileSync('sh', ['-c', process.argv[2], process.env.ANNEX_STORE]);
const attempt = (load) => load().then(() => 'loaded', ({ code, cause }) => [code, cause?.code, cause?.feature].join());
console.log(JSON.stringify({
  relative: await attempt(() => esm.later()),
  required: await attempt(() => cjs.later()),
  subpath: await attempt(() => import('esm/sub')),
  requiredSubpath: await attempt(async () => require('cjs/sub')),
  other: await attempt(() => import('late')),
}));`;

describe.concurrent.each(nodes)('$label', (node) => {
  test.for(WAYS)('%s', async ([how, script], { expect, onTestFinished }) => {
    const sandbox = await createSandbox({ node: node.path });
    if (!script.startsWith('mv')) {
      mkdirSync(sandbox.store);
      mount(...TMPFS, sandbox.store);
      onTestFinished(() => unmountAll(sandbox.store));
    }
    sandbox.setCore({ features: { esm: '*', cjs: '*', late: '*' } });
    for (const pkg of packages) {
      sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
    }
    sandbox.write('app/main.mjs', PROGRAM);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const args = ['--import', sandbox.loader, 'main.mjs', script];
    const { stdout, stderr } = await sandbox.run(args, { env });
    expect(stdout, how + stderr).not.toBe('');
    expect(JSON.parse(stdout)).toEqual({
      relative: 'ERR_MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,esm',
      required: 'MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,cjs',
      subpath: 'ERR_MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,esm',
      requiredSubpath: 'MODULE_NOT_FOUND,ANNEX_STORE_UNUSABLE,cjs',
      other: 'ERR_MODULE_NOT_FOUND,ANNEX_DENIED,late',
    });
  });
});
