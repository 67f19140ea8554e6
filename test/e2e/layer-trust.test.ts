/** A layer that only root can change, of a process that is not root: it is trusted as core is, and its files are not hashed. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readAbi } from '../../src/base/abi.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { nodes } from '../support/nodes.ts';
import { AS_USER, useRootLayer } from '../support/root-layer.ts';
import { isRoot, PLAIN_USER } from '../support/user.ts';

const { uid, gid } = PLAIN_USER;

const canRun = (...[command = '', ...args]: string[]): boolean =>
  spawnSync(command, [...args, 'true'], { stdio: 'ignore' }).status === 0;

/** Other ways to start the program, in which it could change what root owns, or cannot know who does. */
const WAYS: Record<string, string[]> = {
  'a process of root': ['env'],
  'a process that was root and can be again': ['setpriv', '--euid', `${uid}`],
  'a process with CAP_DAC_OVERRIDE': [
    ...AS_USER,
    ...['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'],
  ],
  'a process in a user namespace that does not map root': [...AS_USER, 'unshare', '--user'],
};

/** A program that does something, and then imports the package. */
const importOther = (before: string, specifier = 'other'): string => `
${before}
const { marker, code } = await import(${JSON.stringify(specifier)}).catch((error) => error);
console.log(JSON.stringify({ other: { marker, code } }));
`;

describe.runIf(isRoot).each(nodes)('$label', ({ path: node }) => {
  const { at, findEntry, findFile, change, load, expectRefused, configure } = useRootLayer(node);

  test('reads nothing in it but the manifest, and loads a file that root changed', async () => {
    await at.bakeLocked();
    const { other, read } = await load();
    expect(other?.marker).toBe('other');
    expect(read).toEqual(['annex-entry.json']);
    change();
    expect((await load()).other?.marker).toBe('CHANGED');
  });

  test("hashes it with the operator's verify: load or first-use, and refuses the change", async () => {
    await at.bakeLocked();
    for (const verify of ['load', 'first-use']) {
      const { other, read } = await load(configure({ verify }));
      expect(other?.marker).toBe('other');
      expect(read).toContain('annex-files.txt');
      expect(read).toContain('node_modules/other/package.json');
    }
    change();
    await expectRefused(configure({ verify: 'load' }));
    await expectRefused(configure({ verify: 'first-use' }));
    await expectRefused(configure({ verify: 'always' }));
    await expectRefused(configure({ verfy: 'load' }));
    await expectRefused({ ANNEX_CONFIG: join(at.sandbox.root, 'missing.json') });
    expect((await load(configure({ timeout: 9 }))).other?.marker).toBe('CHANGED');
  });

  test('hashes a store of root, also when it is a layer as well', async () => {
    await at.bakeLocked();
    change();
    const other = join(at.sandbox.root, 'link');
    symlinkSync(at.layer, other);
    await expectRefused({ ANNEX_STORE: at.layer });
    await expectRefused({ ANNEX_STORE: [at.layer, at.layer].join(delimiter) });
    await expectRefused({ ANNEX_STORE: [at.layer, other].join(delimiter) });
  });

  test('hashes it where the process, or anybody but root, could write', async () => {
    await at.bakeLocked();
    change();
    const entry = findEntry();
    const places = {
      'the layer': at.layer,
      'a directory above the layer': dirname(at.layer),
      'the directory of the ABI': dirname(entry),
      'the entry': entry,
      'a directory in the entry': join(entry, 'node_modules/other'),
      'a package.json': join(entry, 'node_modules/other/package.json'),
      'the file': findFile(),
    };
    for (const [what, path] of Object.entries(places)) {
      chownSync(path, uid, gid);
      expect((await load()).other?.marker, what).toBeUndefined();
      chownSync(path, 0, 0);
    }
    chmodSync(entry, 0o775);
    await expectRefused();
    chmodSync(entry, 0o755);
    expect((await load()).other?.marker).toBe('CHANGED');
  });

  test('trusts it through a link, whoever owns the link, and not below a directory of the process', async () => {
    await at.bakeLocked();
    change();
    const link = join(at.sandbox.root, 'current');
    symlinkSync(at.layer, link);
    const env = { ANNEX_STORE: `${delimiter}${link}` };
    expect((await load(env)).other?.marker).toBe('CHANGED');
    lchownSync(link, uid, gid);
    expect((await load(env)).other?.marker).toBe('CHANGED');
    chownSync(at.sandbox.root, uid, gid);
    await expectRefused(env);
    await expectRefused();
  });

  test.runIf(canMount())('trusts it in an overlay of several file systems', async () => {
    await at.bakeLocked();
    change();
    const [below = '', shown = ''] = ['below', 'shown'].map((name) => {
      const path = join(at.sandbox.root, name);
      mkdirSync(path);
      return path;
    });
    mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', below);
    onTestFinished(() => void unmount(below));
    mount('-t', 'overlay', '-o', `lowerdir=${at.layer}:${below}`, 'overlay', shown);
    onTestFinished(() => void unmount(shown));
    // A file there has another device than its directory.
    const file = shown + findFile().slice(at.layer.length);
    expect(lstatSync(file).dev).not.toBe(lstatSync(dirname(file)).dev);
    const env = { ANNEX_STORE: `${delimiter}${shown}` };
    expect((await load(env)).other?.marker).toBe('CHANGED');
    await expectRefused({ ...env, ...configure({ verify: 'load' }) });
  });

  test('hashes what is requested by a path through a link, where Node keeps links', async () => {
    await at.bakeLocked();
    const link = join(at.sandbox.root, 'current');
    symlinkSync(at.layer, link);
    const path = link + findFile().slice(at.layer.length);
    at.sandbox.write('app/main.mjs', importOther('', path));
    const env = { ANNEX_STORE: `${delimiter}${link}` };
    change();
    expect((await load(env)).other?.marker).toBe('CHANGED');
    await expectRefused({ ...env, NODE_OPTIONS: '--preserve-symlinks' });
  });

  test('hashes it until the end in a process that was root when it looked', async () => {
    await at.bakeLocked();
    change();
    const become = `process.setgroups([${gid}]); process.setgid(${gid}); process.setuid(${uid});`;
    const ask = "await import('other').catch(() => {});";
    at.sandbox.write('app/main.mjs', importOther(`${ask} ${become}`));
    await expectRefused({}, ['env']);
    at.sandbox.write('app/main.mjs', importOther(become));
    expect((await load({}, ['env'])).other?.marker).toBe('CHANGED');
  });

  test('hashes it without a lock, and refuses a manifest that is not the locked one', async () => {
    await at.bakeLocked();
    const manifest = join(findEntry(), 'annex-entry.json');
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, text.replace(/"private":\s*\[/, '$&"foreign",'));
    await expectRefused();
    writeFileSync(manifest, text);
    change();
    expect((await load()).other?.marker).toBe('CHANGED');
    rmSync(join(at.sandbox.core, 'annex/other'), { recursive: true });
    await expectRefused();
  });

  test('hashes an entry for one ABI where a file that no request names is not of root', async () => {
    await at.bakeLocked();
    change();
    const { stdout } = await at.sandbox.exec(node, ['-p', 'process.versions.modules']);
    const abi = readAbi().replace(/^node\d+/, `node${stdout.trim()}`);
    const plain = findEntry();
    mkdirSync(join(at.layer, 'v1', abi));
    renameSync(plain, join(at.layer, 'v1', abi, basename(plain)));
    expect((await load()).other?.marker).toBe('CHANGED');
    const added = at.sandbox.write(join(findEntry(), 'node_modules/other/build/added.txt'), '');
    expect((await load()).other?.marker).toBe('CHANGED');
    chownSync(added, uid, gid);
    await expectRefused();
  });

  test('list, why, doctor and config say so, and verify hashes it', async () => {
    await at.bakeLocked();
    const { sandbox } = at;
    const main = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
    const run = async (args: string[], env: Record<string, string> = {}) => {
      const ANNEX_STORE = `${delimiter}${at.layer}`;
      const user = { uid, gid, env: { ANNEX_STORE, ANNEX_ALLOW_INSTALLS: '0', ...env } };
      return (await sandbox.exec(node, [main, ...args], user)).stdout;
    };
    const said = 'not hashed: a layer as trusted as core';
    expect(await run(['list'])).toMatch(new RegExp(`^other .* layer .*${said}$`, 'm'));
    expect(await run(['why', 'other'])).toContain(`used: 3.0.0 in a layer: ${said}`);
    expect(await run(['doctor'])).toContain(`other: layer, other 3.0.0; ${said}`);
    expect(await run(['config'])).toMatch(new RegExp(`^verify +load \\(default; ${said}\\)$`, 'm'));
    const [, listed] = JSON.parse(await run(['list', '--json'])).features;
    expect(listed).toMatchObject({ feature: 'other', isUnhashed: true });
    const env = configure({ verify: 'load' });
    for (const args of [['list'], ['why', 'other'], ['doctor'], ['config']]) {
      expect(await run(args, env)).not.toContain('hashed');
    }
    change();
    expect(await run(['verify', 'other'])).toContain('index.js is not what was installed');
    expect(JSON.parse(await run(['list', '--json'])).summary.available).toBe(2);
  });

  test('trusts it in a worker too', async () => {
    await at.bakeLocked();
    change();
    const { sandbox } = at;
    sandbox.write(
      'app/worker.mjs',
      "const { marker } = await import('other');\nconsole.log(JSON.stringify({ other: { marker } }));\n",
    );
    sandbox.write(
      'app/main.mjs',
      "import { Worker } from 'node:worker_threads';\nnew Worker(new URL('worker.mjs', import.meta.url));\n",
    );
    expect((await load()).other?.marker).toBe('CHANGED');
  });

  test.each(Object.entries(WAYS).filter(([, way]) => canRun(...way)))(
    'does not trust it for %s',
    async (_, way) => {
      await at.bakeLocked();
      change();
      await expectRefused({}, way);
    },
  );
});
