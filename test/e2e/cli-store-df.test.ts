/** `annex store df`: totals by state, what a prune frees, free space; and prune and verify under the name of store. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { outerNodes } from '../support/nodes.ts';
import type { Sandbox } from '../support/sandbox.ts';

/** Size of all files of a tree, from its digest's paths. */
function sizeOf(sandbox: Sandbox, ...dirs: string[]): number {
  const files = dirs.flatMap((dir) =>
    Object.entries(sandbox.digest(dir))
      .filter(([, what]) => what.startsWith('file'))
      .map(([path]) => join(dir, path)),
  );
  return files.reduce((total, path) => total + statSync(path).size, 0);
}

describe.each(outerNodes)('$label', (node) => {
  test('df adds up states and layers, and says what annex prune then does', async () => {
    const { sandbox, layer, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^1.0.0' } });
    const current = plant('alpha', '1.7.0');
    const replaced = plant('alpha', '1.5.0');
    const stray = plant('stray', '1.0.0');
    const baked = plant('beta', '1.0.0', { store: layer });
    const gone = plant('alpha', '1.1.0');
    const mark = join(sandbox.store, 'v1', 'retired', `any.${basename(gone)}`);
    sandbox.write(mark, 'annex prune: replaced');
    const then = new Date(Date.now() - 60 * 24 * 60 * 60_000);
    for (const entry of [current, replaced, stray, gone]) {
      utimesSync(join(entry, 'annex-entry.json'), then, then);
    }
    utimesSync(mark, then, then);
    const before = sandbox.digest('volume');
    const { code, stdout } = await annex(['store', 'df', '--json']);
    expect(code).toBe(0);
    const one = (entry: string) => ({ entries: 1, bytes: sizeOf(sandbox, entry) });
    const { states, layerTotals, prune, free } = JSON.parse(stdout);
    expect(new Map(states.map(({ state, ...rest }: { state: string }) => [state, rest]))).toEqual(
      new Map([
        ['current', one(current)],
        ['replaced', one(replaced)],
        ['undeclared', one(stray)],
        ['retired', one(gone)],
      ]),
    );
    expect(layerTotals).toEqual([{ layer, ...one(baked) }]);
    expect(prune).toEqual({
      deletes: one(gone),
      retires: { entries: 2, bytes: sizeOf(sandbox, replaced, stray) },
    });
    expect(free).toBeGreaterThan(0);
    const text = (await annex(['store', 'df'])).stdout;
    expect(text).toMatch(/^state +entries +size$/m);
    expect(text).toMatch(/^total +4 +0\.0 MB$/m);
    expect(text).toMatch(new RegExp(`^layer ${layer} +1 +0\\.0 MB$`, 'm'));
    expect(text).toMatch(/^annex prune frees 0\.0 MB at once, and 0\.0 MB a day later$/m);
    expect(text).toMatch(/ [MG]B are free on the volume of /);
    expect(sandbox.digest('volume')).toEqual(before);

    const dry = await annex(['store', 'prune', '--dry-run']);
    expect(dry.stdout).toBe((await annex(['prune', '--dry-run'])).stdout);
    expect(dry.stdout).toMatch(/: 2 retired .*, 1 deleted .*, 1 kept /);
    expect((await annex(['store', 'prune'])).code).toBe(0);
    expect(existsSync(gone)).toBe(false);
    const after = JSON.parse((await annex(['store', 'df', '--json'])).stdout);
    expect(after.prune).toMatchObject({ deletes: { entries: 0 }, retires: { entries: 0 } });
  });

  test('an entry that cannot be measured has an unknown size, not the size 0', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const current = plant('alpha', '1.0.0');
    const kept = `${plant('alpha', '1.1.0')}.kept`;
    const linked = kept.replace(/\.kept$/, '');
    renameSync(linked, kept);
    symlinkSync(kept, linked);
    const { states } = JSON.parse((await annex(['store', 'df', '--json'])).stdout);
    expect(states).toContainEqual(expect.objectContaining({ entries: 1, bytes: 0, unmeasured: 1 }));
    const { stdout } = await annex(['store', 'df']);
    expect(stdout).toMatch(/ +1 +unknown$/m);
    expect(stdout).toMatch(/^total +\d +at least 0\.0 MB$/m);
    const { entries } = JSON.parse((await annex(['prune', '--dry-run', '--json'])).stdout);
    const bytesOf = (dir: string) =>
      entries.find(({ entry }: { entry: string }) => entry === dir)?.bytes;
    expect(bytesOf(current)).toBeGreaterThan(0);
    expect(bytesOf(linked)).toBeUndefined();
    expect((await annex(['prune', '--dry-run'])).stdout).toContain(`kept ${linked} (unknown): `);
  });

  test('where annex prune refuses, df says why, and a store that does not exist has no entry', async () => {
    const { sandbox, annex } = await openCli(node);
    const env = { ANNEX_CORE: sandbox.core };
    const { code, stdout } = await annex(['store', 'df'], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^total +0 +0\.0 MB$/m);
    expect(stdout).toMatch(/^annex prune frees nothing: .* declares no feature/m);
    expect(existsSync(sandbox.store)).toBe(false);
  });

  test('where nothing can be installed, df says so before it counts free space', async () => {
    const { sandbox, annex } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    mkdirSync(sandbox.store);
    chmodSync(sandbox.store, 0o777);
    const { code, stdout } = await annex(['store', 'df']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\n\nnothing can be installed: \S+ is writable by .*\. Now: .*\nannex prune /,
    );
  });

  test('annex store verify is annex verify', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const entry = plant('alpha', '1.0.0');
    sandbox.write(join(entry, 'node_modules', 'alpha', 'index.js'), 'changed');
    const [plain, named] = await Promise.all([
      annex(['verify', 'alpha']),
      annex(['store', 'verify', 'alpha']),
    ]);
    expect(named).toMatchObject({ code: 1, stdout: plain.stdout });
  });
});
