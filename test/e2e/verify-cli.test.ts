/** G5: `annex verify` compares every file, lists the differences, and repairs on request. */
import {
  appendFileSync,
  chmodSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'vitest';
import { listedValue } from '../support/entry.ts';
import { importIn } from '../support/importer.ts';
import { listEntries, lock, node } from '../support/lock-files.ts';
import { ADDITIONS, closure, MARKER, TAMPERINGS } from '../support/tampering.ts';
import { openWorld } from '../support/world.ts';

const annex = { features: { kit: '^1.0.0', other: '^1.0.0' } };

interface Verified {
  feature: string;
  dir: string;
  isAnchored: boolean;
  files: number;
  problem?: string;
  skipped?: string;
  differences: { path: string; problem: string }[];
  generated: string[];
}

async function open(isLocked = true) {
  const { sandbox } = await openWorld({ packages: closure, annex, node: node.path });
  if (isLocked) await lock(sandbox);
  const env = { ANNEX_STORE: sandbox.store };
  await sandbox.annex(['install', '--all'], { env });
  const kit = listEntries(sandbox).find((dir) => basename(dir).startsWith('kit.')) ?? '';
  const verify = async (...args: string[]) => {
    const { code, stdout } = await sandbox.annex(['verify', '--json', ...args], { env });
    return { code, found: JSON.parse(stdout).entries as Verified[] };
  };
  return { sandbox, env, kit, verify };
}

describe.concurrent(node.label, () => {
  test('a whole entry is reported as such, with the authority', async ({ expect }) => {
    for (const isAnchored of [true, false]) {
      const { sandbox, env, kit, verify } = await open(isAnchored);
      const { code, found } = await verify();
      expect(code).toBe(0);
      expect(new Set(found.map(({ feature }) => feature))).toEqual(new Set(['kit', 'other']));
      const [first] = found.filter(({ feature }) => feature === 'kit');
      expect(first).toMatchObject({ dir: kit, isAnchored, files: 12, differences: [] });
      const { stdout } = await sandbox.annex(['verify', 'kit'], { env });
      expect(stdout).toContain(isAnchored ? 'files match the lock' : 'which no lock anchors');
    }
  });

  test('all differences are listed under their feature, and nothing is changed', async ({
    expect,
  }) => {
    const { sandbox, kit, verify } = await open();
    for (const what of ['a truncated file', 'a deleted file', 'an added file', 'an edited program'])
      ({ ...TAMPERINGS, ...ADDITIONS })[what]?.(kit, '');
    const before = sandbox.digest(sandbox.store);
    const { code, found } = await verify('kit');
    expect(code).toBe(1);
    expect(found).toHaveLength(1);
    expect(found[0]?.differences.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'node_modules/kit/lib/inner.js', problem: 'missing' },
      { path: 'node_modules/kit/more.js', problem: 'added' },
      { path: 'node_modules/kit/native/program', problem: 'changed' },
      { path: 'node_modules/tool/part.js', problem: 'changed' },
    ]);
    expect((await verify('other')).code).toBe(0);
    expect(sandbox.digest(sandbox.store)).toEqual(before);
  });

  test('an entry forged together with its listing is found by the lock', async ({ expect }) => {
    for (const isLocked of [true, false]) {
      const { kit, verify } = await open(isLocked);
      TAMPERINGS['an edited file and a listing that agrees']?.(kit, '');
      const { code, found } = await verify('kit');
      expect(code).toBe(isLocked ? 1 : 0);
      expect(found[0]?.problem ?? '').toContain(isLocked ? 'annex-files.txt is not what' : '');
    }
  });

  test('--repair installs beside a damaged entry and retires it', async ({ expect }) => {
    const { sandbox, env, kit, verify } = await open();
    TAMPERINGS['an edited ES module']?.(kit, '');
    expect((await verify('--repair')).code).toBe(0);
    const { code, found } = await verify();
    expect(code).toBe(0);
    const whole = listEntries(sandbox).filter((dir) => dir !== kit);
    expect(new Set(found.map(({ dir }) => dir))).toEqual(new Set(whole));
    const { imported, stderr } = await importIn(sandbox, ['kit'], { node: node.path, env });
    expect(imported.kit).toMatchObject({ marker: MARKER });
    expect(stderr).toBe('');
  });

  test('an entry that cannot be repaired stays damaged, and the exit code is 1', async ({
    expect,
  }) => {
    const { sandbox, env, kit } = await open();
    TAMPERINGS['an edited ES module']?.(kit, '');
    const denied = { ...env, ANNEX_ALLOW_INSTALLS: '0' };
    const result = await sandbox.annex(['verify', '--repair'], { env: denied });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/kit unavailable \(ANNEX_DENIED\)/);
  });

  test('an entry that became a link is damaged, although its files are the locked ones', async ({
    expect,
  }) => {
    const { sandbox, kit, verify } = await open();
    const elsewhere = join(sandbox.root, 'elsewhere');
    renameSync(kit, elsewhere);
    symlinkSync(elsewhere, kit);
    const { code, found } = await verify('kit');
    expect(code).toBe(1);
    expect(found[0]?.problem).toBe('it is not a directory');
    expect((await verify('kit', '--repair')).code).toBe(0);
    expect(await verify('kit')).toMatchObject({ code: 0, found: [{ files: 12 }] });
  });

  test('an entry of another format is named as not compared, and the exit code is 1', async ({
    expect,
  }) => {
    const { sandbox, env, kit, verify } = await open();
    const manifest = join(kit, 'annex-entry.json');
    chmodSync(manifest, 0o644);
    writeFileSync(manifest, '{"format":99}');
    const before = sandbox.digest(sandbox.store);
    for (const args of [['kit'], ['kit', '--repair']]) {
      const { code, found } = await verify(...args);
      expect(code).toBe(1);
      expect(found).toMatchObject([{ dir: kit, files: 0, skipped: expect.stringMatching(/99/) }]);
    }
    expect((await sandbox.annex(['verify'], { env })).stdout).toContain('not compared');
    expect(sandbox.digest(sandbox.store)).toEqual(before);
  });

  test('files that scripts made are listed as not in the lock, and still compared', async ({
    expect,
  }) => {
    const { kit, verify } = await open(false);
    const made = join(kit, 'node_modules/kit/native/made');
    const path = 'node_modules/kit/native/made';
    chmodSync(dirname(made), 0o755);
    writeFileSync(made, '');
    const edit = (name: string, change: (text: string) => string) => {
      chmodSync(join(kit, name), 0o644);
      writeFileSync(join(kit, name), change(readFileSync(join(kit, name), 'utf8')));
    };
    edit('annex-entry.json', (text) => text.replace('"scripts":[]', '"scripts":["kit"]'));
    edit('annex-files.txt', (text) => `${text}generated\n${listedValue('')}\t${path}\n`);
    const { code, found } = await verify('kit');
    expect(code).toBe(0);
    expect(found[0]).toMatchObject({ generated: [path], differences: [] });
    appendFileSync(made, 'more');
    expect((await verify('kit')).found[0]?.differences).toEqual([{ path, problem: 'changed' }]);
  });
});
