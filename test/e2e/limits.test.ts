/** G6: oversized files are not read, and the feature heals, for import and for require. */
import { chmodSync, existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { installBefore, listEntries } from '../support/lock-files.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import { removeTree } from '../support/tree.ts';
import { asPlainUser, giveTo } from '../support/user.ts';

const box = cjsPackage('box', '1.0.0', 'box');
const packages = [
  { ...box, files: { ...box.files, 'addon.node': 'not loaded', 'library.so.1': 'not loaded' } },
];
const LARGE = 2 * 2 ** 30;
/** Bytes that a process may have read when it has read nothing large. */
const MOST_READ = 32 * 2 ** 20;

/** Loads the package in one of two ways, and counts the bytes that the process has read. */
const PROGRAM = `
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const [how] = process.argv.slice(2);
const load = { import: () => import('box'), require: () => createRequire(import.meta.url)('box') };
let found;
try {
  found = await load[how]();
} catch (error) {
  found = error;
}
const read = Number(/^rchar: (\\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
const { marker, code, message, cause } = found;
console.log(JSON.stringify({ marker, code, message, cause: cause?.code, read }));
`;

const openInstalled = installBefore({ packages, annex: { features: { box: '^1.0.0' } } });

/** A core with a lock and a store in which the feature is installed. */
async function open(node: NodeUnderTest) {
  const { sandbox, registry } = await openInstalled(node);
  sandbox.write('app/load.mjs', PROGRAM);
  const [entry = ''] = listEntries(sandbox);
  const load = async (how: string, env: Record<string, string> = {}) => {
    // One way as the user of the tests, the other as a plain user.
    const user = how === 'require' ? asPlainUser : {};
    giveTo(user, sandbox.root);
    const result = await sandbox.run(['--import', sandbox.loader, 'load.mjs', how], {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store, ...env },
      ...user,
    });
    expect(result.code, result.stderr).toBe(0);
    return { ...result, found: JSON.parse(result.stdout) };
  };
  return { sandbox, registry, entry, load };
}

/** Replaces a file by an empty sparse one of this size. */
function grow(path: string, size: number): void {
  if (existsSync(dirname(path))) chmodSync(dirname(path), 0o755);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, '');
  truncateSync(path, size);
}

const inEntry: [file: string, size: number][] = [
  ['annex-entry.json', 48 * 2 ** 20],
  ['annex-files.txt', 48 * 2 ** 20],
  ['package.json', LARGE],
  // Node's loader reads files itself.
  ['node_modules/box/index.js', 8 * 2 ** 20],
  ['node_modules/box/package.json', LARGE],
  ['node_modules/box/addon.node', LARGE],
  ['node_modules/box/library.so.1', LARGE],
];

describe.concurrent.each(nodes)('$label', (node) => {
  for (const how of ['import', 'require']) {
    test.each(inEntry)(
      `${how}: %s of an entry is not read, and the entry heals`,
      async (file, size) => {
        const { sandbox, entry, load } = await open(node);
        grow(join(entry, file), size);
        const { found, stderr } = await load(how);
        expect(found, stderr).toMatchObject({ marker: 'box' });
        expect(found.read).toBeLessThan(MOST_READ);
        expect(listEntries(sandbox)).toHaveLength(2);
      },
    );

    test(`${how}: oversized failure records and marks of a store are not read`, async () => {
      const { sandbox, entry, load } = await open(node);
      const name = `${basename(dirname(entry))}.${basename(entry)}`;
      grow(join(sandbox.store, 'v1', 'failures', 'box.json'), 48 * 2 ** 20);
      grow(join(sandbox.store, 'v1', 'failures', '@127.0.0.1.json'), LARGE);
      grow(join(sandbox.store, 'v1', 'retired', name), LARGE);
      const { found, stderr } = await load(how);
      expect(found, stderr).toMatchObject({ marker: 'box' });
      expect(found.read).toBeLessThan(MOST_READ);
      expect(listEntries(sandbox)).toHaveLength(2);
    });

    test(`${how}: without a lock the same limits hold`, async () => {
      for (const [file, size] of inEntry.slice(0, 3)) {
        const { sandbox, entry, load } = await open(node);
        rmSync(join(sandbox.core, 'annex'), { recursive: true });
        grow(join(entry, file), size);
        const { found } = await load(how, { ANNEX_ALLOW_INSTALLS: '0' });
        expect(found, file).toMatchObject({ cause: expect.stringMatching(/INTEGRITY|DENIED/) });
        expect(found.read, file).toBeLessThan(MOST_READ);
      }
    });

    test(`${how}: an oversized settings file restricts, or sets nothing`, async () => {
      const { sandbox, registry, entry, load } = await open(node);
      removeTree(entry);
      const file = join(sandbox.root, 'operator.json');
      grow(file, LARGE);
      grow(join(sandbox.core, '.npmrc'), LARGE);
      const npm = { npm_config_registry: registry.url };
      const off = await load(how, { ...npm, ANNEX_CONFIG: file });
      expect(off.found).toMatchObject({ cause: 'ANNEX_INVALID_CONFIG' });
      expect(off.found.message).toMatch(/operator\.json.* cannot be read/);
      expect(off.found.read).toBeLessThan(MOST_READ);
      const on = await load(how, npm);
      expect(on.found).toMatchObject({ marker: 'box' });
      expect(on.found.read).toBeLessThan(MOST_READ);
    });
  }
});
