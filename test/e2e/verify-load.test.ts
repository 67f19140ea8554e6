/** G5: an entry that differs from its lock does not run: it is installed again, or unavailable with the reason. */
import { appendFileSync, chmodSync, existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canWatchLoads } from '../../src/base/load-hooks.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { installBefore, listEntries } from '../support/lock-files.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { ADDITIONS, closure, EVIL, MARKER, TAMPERINGS, type Tamper } from '../support/tampering.ts';

const openInstalled = installBefore({
  packages: closure,
  annex: { features: { kit: '^1.0.0', other: '^1.0.0' } },
});

/** A core with the locks, and a copy of the store in which both features are installed. */
async function open(node: NodeUnderTest, flags: string[] = []) {
  const { sandbox } = await openInstalled(node);
  const find = (slug: string): string =>
    listEntries(sandbox).find((dir) => basename(dir).startsWith(`${slug}.`)) ?? '';
  const load = (env: Record<string, string> = {}) =>
    importIn(sandbox, ['kit'], {
      node: node.path,
      flags,
      env: { ANNEX_STORE: sandbox.store, ...env },
    });
  return { sandbox, kit: find('kit'), other: find('other'), load };
}

/** Does nothing, in a separate thread. */
const ASYNC_LOADER = [
  '--disable-warning=DEP0205',
  `--import=data:text/javascript,${encodeURIComponent(`
    import { register } from 'node:module';
    register('data:text/javascript,export const load = (url, context, next) => next(url, context)');`)}`,
];
const BESIDE = [
  'an edited ES module',
  'an edited CommonJS module',
  'an emptied CommonJS module that is imported',
  'an edited JSON module',
];

/** Found in a `require` of an imported package if every load is watched; otherwise earlier. */
const REQUIRED = ['an edited CommonJS module', 'required JSON that was edited', 'a truncated file'];

const denied = { ANNEX_ALLOW_INSTALLS: '0' };

const listRetired = ({ store }: Sandbox): string[] =>
  readdirSync(join(store, 'v1', 'retired')).sort();

async function holdHealed(
  node: NodeUnderTest,
  what: string,
  tamper: Tamper,
  flags: string[] = [],
): Promise<void> {
  const { sandbox, kit, other, load } = await open(node, flags);
  tamper(kit, other);
  const off = await load(denied);
  expect(off.stdout, what).not.toContain(EVIL);
  const isRequired = REQUIRED.includes(what) && canWatchLoads(node.label.slice(1));
  const code = isRequired ? 'MODULE_NOT_FOUND' : 'ERR_MODULE_NOT_FOUND';
  const reason = /damaged.*switched off by ANNEX_ALLOW/;
  expectRefused(off.imported.kit, 'ANNEX_INTEGRITY', reason, 'kit', code);
  const healed = await load();
  expect(healed.imported.kit, what).toMatchObject({ marker: MARKER });
  expect(healed.stderr, what).toMatch(/^annex: \S+kit\.[0-9a-f]{32}\.\S is damaged: \S/m);
  const after = await load(denied);
  expect(after.imported.kit, what).toMatchObject({ marker: MARKER });
  expect(after.stderr, what).toBe('');
  expect(listRetired(sandbox), what).toHaveLength(1);
  expect(existsSync(kit) || what.includes('planted'), what).toBe(true);
  const entries = listEntries(sandbox).filter((dir) => basename(dir).startsWith('kit.'));
  expect(entries, what).toHaveLength(2);
}

describe.concurrent.each(nodes)('G5: pinned and verified, $label', (node) => {
  for (const [what, tamper] of Object.entries(TAMPERINGS)) {
    test(`${what} is found, and healed when installs are allowed`, () =>
      holdHealed(node, what, tamper));
  }

  test.for(BESIDE)('beside an asynchronous loader: %s is found and healed', async (what) => {
    await holdHealed(node, what, TAMPERINGS[what] as Tamper, ASYNC_LOADER);
  });

  test('an undamaged entry is used silently, and nothing is written', async () => {
    const { sandbox, load } = await open(node);
    const before = sandbox.digest(sandbox.store);
    const loaded = await load();
    expect(loaded.imported.kit).toMatchObject({ marker: MARKER });
    expect(loaded.stderr).toBe('');
    expect(sandbox.digest(sandbox.store)).toEqual(before);
  });

  test.for(Object.entries(ADDITIONS))('%s that nothing loads is no damage', async ([, tamper]) => {
    const { sandbox, kit, load } = await open(node);
    tamper(kit, '');
    const before = sandbox.digest(sandbox.store);
    const loaded = await load();
    expect(loaded.imported.kit).toMatchObject({ marker: MARKER });
    expect(loaded.stderr).toBe('');
    expect(sandbox.digest(sandbox.store)).toEqual(before);
    expect((await sandbox.annex(['verify'], { env: { ANNEX_STORE: sandbox.store } })).code).toBe(1);
  });

  test('ensure verifies too: refused with the reason, or healed without an import', async () => {
    const { sandbox, kit, load } = await open(node);
    TAMPERINGS['a deleted file']?.(kit, '');
    const source = `import { ensure } from 'annex';
        console.log(await ensure('kit').then(({ where }) => where, ({ code }) => code));`;
    sandbox.write('app/ensure.mjs', source);
    const run = async (more: Record<string, string>) => {
      const env = { ANNEX_STORE: sandbox.store, ...more };
      const args = ['--import', sandbox.loader, 'ensure.mjs'];
      return (await sandbox.run(args, { node: node.path, env })).stdout.trim();
    };
    expect(await run(denied)).toBe('ANNEX_INTEGRITY');
    expect(await run({})).toBe('store');
    expect((await load(denied)).imported.kit).toMatchObject({ marker: MARKER });
  });

  test('a damaged layer stays unchanged: a new entry is installed in front of it', async () => {
    const { sandbox, kit } = await open(node);
    TAMPERINGS['a deleted file']?.(kit, '');
    const layer = sandbox.digest(sandbox.store);
    const env = { ANNEX_STORE: `${sandbox.root}/other:${sandbox.store}` };
    const off = await importIn(sandbox, ['kit'], { node: node.path, env: { ...env, ...denied } });
    expectRefused(off.imported.kit, 'ANNEX_INTEGRITY', /lib\/inner\.js is missing/);
    const healed = await importIn(sandbox, ['kit'], { node: node.path, env });
    expect(healed.imported.kit).toMatchObject({ marker: MARKER });
    const after = await importIn(sandbox, ['kit'], { node: node.path, env });
    expect(after).toMatchObject({ imported: { kit: { marker: MARKER } }, stderr: '' });
    expect(sandbox.digest(sandbox.store)).toEqual(layer);
  });

  test('"verify": "off" runs the files as they are', async () => {
    const { sandbox, kit, load } = await open(node);
    TAMPERINGS['an edited ES module']?.(kit, '');
    const ANNEX_CONFIG = sandbox.write('annex.json', { verify: 'off' });
    const { imported, stderr } = await load({ ANNEX_CONFIG, ...denied });
    expect(imported.kit?.marker).toContain(EVIL);
    expect(stderr).toBe('');
  });

  test('"verify": "first-use" finds damage in files that this program does not load', async () => {
    const { sandbox, kit, load } = await open(node);
    const unloaded = join(kit, 'node_modules/kit/lib/other.js');
    chmodSync(unloaded, 0o644);
    appendFileSync(unloaded, '// more');
    const ANNEX_CONFIG = sandbox.write('annex.json', { verify: 'first-use' });
    const { imported } = await load({ ANNEX_CONFIG, ...denied });
    expectRefused(imported.kit, 'ANNEX_INTEGRITY', /lib\/other\.js is not what was installed/);
  });
});
