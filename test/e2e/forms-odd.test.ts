/** Processes started under unusual conditions: annex works, or changes nothing. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { annexVersion, repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'from the store';

/** Result of each form of request; then whether the loader counts as active. */
const PROGRAM = `
import { createRequire } from 'node:module';
import { status } from 'annex';
const require = createRequire(import.meta.url);
const attempt = async (ask) => {
  try { return (await ask()).marker; } catch ({ code, cause }) { return [code, cause?.code].join(' '); }
};
console.log(JSON.stringify([
  await attempt(() => import('esm-only')),
  await attempt(() => require('cjs-only')),
  await attempt(() => import('absent')),
  await attempt(() => require('absent')),
  await attempt(() => import('undeclared')),
  status().loader,
]));`;

const MISSING = ['ERR_MODULE_NOT_FOUND ', 'MODULE_NOT_FOUND '];

describe.each(nodes)('$label', ({ path: node, major }) => {
  const loader = major >= 22 ? 'sync' : 'off-thread';
  const served = [
    MARKER,
    MARKER,
    'ERR_MODULE_NOT_FOUND ANNEX_DENIED',
    'MODULE_NOT_FOUND ANNEX_DENIED',
    'ERR_MODULE_NOT_FOUND ',
    loader,
  ];
  const unserved = [...MISSING, ...MISSING, MISSING[0], 'inactive'];

  async function open(): Promise<Sandbox> {
    const sandbox = await createSandbox();
    sandbox.setCore({ features: { 'esm-only': '*', 'cjs-only': '*', absent: '*' } });
    for (const pkg of [
      esmPackage('esm-only', '1.0.0', MARKER),
      cjsPackage('cjs-only', '1.0.0', MARKER),
    ]) {
      sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
    }
    sandbox.write('app/main.mjs', PROGRAM);
    return sandbox;
  }

  async function run(sandbox: Sandbox, args: string[], command = node) {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'error' };
    const given = command === node ? args : ['-c', args.join(' ')];
    const { code, stdout, stderr } = await sandbox.exec(command, given, { node, env });
    return { code, stderr, seen: code === 0 ? (JSON.parse(stdout) as unknown) : stdout };
  }

  test.each([
    ['Module is frozen', `Object.freeze(require('node:module'));`, 'read-only'],
    ['globalThis takes no properties', 'Object.preventExtensions(globalThis);', 'extensible'],
  ])(
    '%s before the preload: nothing is registered, and a line says why',
    async (_, freeze, why) => {
      const sandbox = await open();
      const preload = sandbox.write('app/freeze.cjs', freeze);
      const args = ['--require', preload, '--import', sandbox.loader, 'main.mjs'];
      const { code, seen, stderr } = await run(sandbox, args);
      expect({ code, seen, stderr }).toMatchObject({ code: 0, seen: unserved });
      expect(stderr).toMatch(/^annex: the loader is off: .+\n$/);
      expect(stderr).toContain(why);
    },
  );

  test.each(['--import', '--require'])(
    'a working directory that was deleted (%s): the application is found by its script',
    async (flag) => {
      const sandbox = await open();
      const script = join(sandbox.core, 'main.mjs');
      const start = `mkdir gone; cd gone; rmdir ../gone; exec "${node}" ${flag} "${sandbox.loader}" "${script}"`;
      const { code, seen, stderr } = await run(sandbox, [start], '/bin/sh');
      // No loader can be registered there on Node 20, which waits forever for its hooks thread.
      expect({ code, seen }).toEqual({ code: 0, seen: major >= 22 ? served : unserved });
      expect(stderr).toMatch(major >= 22 ? /^$/ : /^annex: the loader is off: the working .+\n$/);
    },
  );

  test('with --frozen-intrinsics errors keep their codes and causes', async () => {
    const sandbox = await open();
    const flags = ['--no-warnings', '--frozen-intrinsics', '--import', sandbox.loader];
    const { code, stderr, seen } = await run(sandbox, [...flags, 'main.mjs']);
    expect({ code, stderr, seen }).toEqual({ code: 0, stderr: '', seen: served });
  });

  test('another version of annex in the process changes nothing, in either order', async () => {
    const sandbox = await open();
    const other = join(sandbox.root, 'other', 'annex');
    for (const name of ['dist', 'loader.mjs', 'package.json']) {
      cpSync(join(repositoryRoot, name), join(other, name), { recursive: true });
    }
    const manifest = readFileSync(join(other, 'package.json'), 'utf8');
    writeFileSync(join(other, 'package.json'), manifest.replace(annexVersion, '0.0.9'));
    const dist = join(other, 'dist');
    for (const name of readdirSync(dist, { encoding: 'utf8' }).filter((one) =>
      one.endsWith('.js'),
    )) {
      const text = readFileSync(join(dist, name), 'utf8');
      // Its threads belong to the other copy and cannot answer status().
      const changed = text
        .replaceAll(JSON.stringify(annexVersion), '"0.0.9"')
        .replaceAll('value: thread,', 'value: { of: "another version" },');
      writeFileSync(join(dist, name), changed);
    }
    const loaders = [sandbox.loader, join(other, 'loader.mjs')];
    for (const order of [loaders, [...loaders].reverse()]) {
      const flags = order.flatMap((one) => ['--import', one]);
      expect(await run(sandbox, [...flags, 'main.mjs'])).toEqual({
        code: 0,
        stderr: '',
        seen: served,
      });
    }
  });
});
