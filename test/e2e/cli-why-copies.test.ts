/** `annex why` of a declared package: the copy that answers, and why the others do not. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';

interface Copy {
  where: string;
  dir: string;
  version?: string;
  isUsed: boolean;
  why?: string;
}

/** A text without its line breaks and indents. */
const unfold = (text: string): string => text.replace(/\s+/g, ' ');

describe.each(outerNodes)('$label', (node) => {
  test('the verdict is the first line, and every copy has its reason', async () => {
    const { sandbox, annex, plant, layer } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.5.0' } });
    const late = plant('alpha', '2.0.0');
    const good = plant('alpha', '1.7.0');
    const torn = plant('alpha', '1.6.0', { manifest: { format: 3 } });
    const foreign = plant('alpha', '1.7.0', { abi: 'node999-linux-x64-glibc' });
    const baked = plant('alpha', '1.5.0', { store: layer });
    const gone = plant('alpha', '1.5.0', { generation: '7' });
    const name = gone.slice(gone.lastIndexOf('/') + 1);
    sandbox.write(join(sandbox.store, 'v1', 'retired', `any.${name}`), 'annex prune: replaced');
    const { code, stdout } = await annex(['why', 'alpha']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^found ${good}/node_modules/alpha/index\\.js\n`));
    expect(unfold(stdout)).toContain(`copies used: 1.7.0 in the store ${good} lost: `);

    const { copies, rejected } = JSON.parse((await annex(['why', 'alpha', '--json'])).stdout);
    const byDir = new Map((copies as Copy[]).map(({ dir, ...rest }) => [dir, rest]));
    expect(byDir.size).toBe(6);
    const inStore = { where: 'store', isUsed: false };
    expect(byDir.get(good)).toEqual({ ...inStore, version: '1.7.0', isUsed: true });
    expect(byDir.get(late)).toEqual({
      ...inStore,
      version: '2.0.0',
      why: 'it holds alpha 2.0.0, not ^1.5.0',
    });
    expect(byDir.get(torn)).toEqual({
      ...inStore,
      why: 'its format is 3, and this annex reads 2',
    });
    expect(byDir.get(foreign)).toEqual({
      ...inStore,
      version: '1.7.0',
      why: 'it is for node999-linux-x64-glibc',
    });
    expect(byDir.get(gone)).toEqual({
      ...inStore,
      version: '1.5.0',
      why: 'it was retired: annex prune: replaced',
    });
    expect(byDir.get(baked)).toEqual({
      where: 'layer',
      isUsed: false,
      version: '1.5.0',
      why: 'another entry is chosen before it',
    });
    expect(rejected).toEqual([`${late}: it holds alpha 2.0.0, not ^1.5.0`]);
  });

  test("core's copy outside the range answers, and the entry loses to it", async () => {
    const { sandbox, annex, plant } = await openCli(node);
    const dependencies = { alpha: '*' };
    sandbox.setCore({ features: { alpha: '^2.0.0' } }, { dependencies });
    sandbox.addPackage('app/node_modules', esmPackage('alpha', '1.2.0', 'core'));
    const entry = plant('alpha', '2.1.0', { specs: { alpha: '^2.0.0' } });
    const { code, stdout } = await annex(['why', 'alpha']);
    const modules = join(sandbox.core, 'node_modules', 'alpha');
    expect({ code, first: stdout.split('\n')[0] }).toEqual({
      code: 0,
      first: `found ${modules}/index.js`,
    });
    const said = unfold(stdout);
    expect(said).toContain(`used: 1.2.0 in core: outside ^2.0.0 ${modules}`);
    expect(said).toContain(`lost: 2.1.0 in the store: what Node finds wins ${entry}`);
    const outside = sandbox.write('plugins/x.js', '');
    const foreign = await annex(['why', 'alpha', '--from', outside]);
    expect(foreign.code).toBe(1);
    expect(foreign.stdout).toMatch(/^NOT FOUND because the importing file is outside the core/);
    expect(unfold(foreign.stdout)).toContain(
      `lost: 2.1.0 in the store: the importing file gets no entries ${entry}`,
    );
  });

  test.runIf(process.getuid?.() === 0)(
    'a store that cannot be read is the reason, in why and in the commands of store',
    async () => {
      const { sandbox, annex, plant } = await openCli(node);
      sandbox.setCore({ features: { alpha: '^1.0.0' } });
      plant('alpha', '1.0.0');
      chmodSync(join(sandbox.store, 'v1'), 0o700);
      const why = await annex(['why', 'alpha'], { uid: 1234 });
      expect(why).toMatchObject({ code: 1, stderr: '' });
      expect(unfold(why.stdout)).toMatch(/^NOT FOUND because .*EACCES.* copies: none /);
      for (const what of ['ls', 'df']) {
        const { code, stdout, stderr } = await annex(['store', what], { uid: 1234 });
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(stderr).toMatch(/EACCES.*\(ANNEX_STORE_UNUSABLE\)/);
      }
    },
  );

  test('of many copies it shows ten, the one that is used first, and all of them in JSON', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    for (let minor = 0; minor < 12; minor++) plant('alpha', `1.${minor}.0`);
    const { stdout } = await annex(['why', 'alpha']);
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.startsWith('  used: 1.11.0 '))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('  lost: '))).toHaveLength(9);
    expect(lines).toContain('  and 2 more: see annex store ls');
    const { copies } = JSON.parse((await annex(['why', 'alpha', '--json'])).stdout);
    expect(copies).toHaveLength(12);
  });

  test('text from a store is escaped, and lines without a path fit 80 columns', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^1.0.0' } });
    const hostile = esmPackage('alpha', '9.0.0\u001b[2J\nfound /fake', 'planted');
    plant('alpha', '9.0.0', { packages: [hostile], specs: { alpha: '^9.0.0' } });
    for (const specifier of ['alpha', 'alpha/sub', 'beta', 'gamma', './none.js', '#none']) {
      const { code, stdout } = await annex(['why', specifier]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^NOT FOUND because /);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what the test is about.
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]|^found /m);
      const long = stdout.split('\n').filter((line) => line.length > 80);
      expect(long.filter((line) => !/^ *\S+$/.test(line))).toEqual([]);
    }
  });
});
