/** G5: an entry is verified on first use, also by its path, as an entry script, a worker or a fork. */
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'vitest';
import { listEntries, lock } from '../support/lock-files.ts';
import { kit, writeMeeting } from '../support/meet.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import { type asPlainUser, giveTo, users } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

/** Changes of files of the package. */
const DAMAGES: Record<string, [path: string, content: string][]> = {
  'edited modules': [
    ['part.js', `exports.marker = 'EVIL';\n`],
    ['part.mjs', `export const marker = 'EVIL';\n`],
  ],
  'an edited package.json': [['package.json', '{ "name": "kit", "main": "./child.js" }']],
  'an edited addon': [['addon.node', 'EVIL']],
};

async function open(node: NodeUnderTest, user: typeof asPlainUser) {
  const annex = { features: { kit: '^1.0.0' } };
  const options = { packages: [kit], annex, node: node.path, copyAnnex: true };
  const { sandbox } = await openWorld(options);
  await lock(sandbox);
  const env = { ANNEX_STORE: sandbox.store };
  writeMeeting(sandbox);
  giveTo(user, sandbox.root);
  await sandbox.annex(['install', 'kit'], { env, ...user });
  const dir = join(listEntries(sandbox)[0] ?? '', 'node_modules', 'kit');
  const run = (args: string[], more: Record<string, string> = {}) =>
    sandbox.run(['--import', sandbox.loader, ...args], { env: { ...env, ...more }, ...user });
  return { sandbox, dir, run };
}

function damage(dir: string, files: [path: string, content: string][]): void {
  for (const [path, content] of files) {
    const file = join(dir, path);
    chmodSync(dirname(file), 0o755);
    rmSync(file);
    writeFileSync(file, content);
  }
}

const denied = { ANNEX_ALLOW_INSTALLS: '0' };

for (const { who, user } of users) {
  describe.concurrent.each(nodes)(`$label, ${who}`, (node) => {
    test('an undamaged entry runs, however it is loaded', async (context) => {
      const { dir, run } = await open(node, user);
      const { stdout, stderr } = await run(['meet.mjs', dir], denied);
      context.expect(stderr).toBe('');
      const seen = Object.values(JSON.parse(stdout) as Record<string, string>);
      context.expect(new Set(seen)).toEqual(new Set(['sound']));
      for (const name of ['child.js', 'child.mjs']) {
        context.expect((await run([join(dir, name)], denied)).stdout).toBe('sound\n');
      }
    });

    test.for(Object.entries(DAMAGES))(
      '%s: nothing of the entry runs',
      async ([, files], context) => {
        const { dir, run } = await open(node, user);
        damage(dir, files);
        const { stdout, stderr } = await run(['meet.mjs', dir], denied);
        context.expect(stdout, stderr).not.toBe('');
        const seen = Object.entries(JSON.parse(stdout) as Record<string, string>);
        context.expect(seen.filter(([, got]) => got !== 'ANNEX_INTEGRITY')).toEqual([]);
        for (const name of ['child.js', 'child.mjs']) {
          const script = await run([join(dir, name)], denied);
          context.expect(script.stdout).toBe('');
          context.expect(script.stderr).toContain('ANNEX_INTEGRITY');
        }
      },
    );

    test('an entry that no lock pins does not run, although its listing agrees', async (context) => {
      const { dir: locked, run } = await open(node, user);
      const entry = dirname(dirname(locked));
      const planted = join(dirname(entry), `kit.${'0'.repeat(32)}.0`);
      renameSync(entry, planted);
      const dir = join(planted, 'node_modules', 'kit');
      const { stdout, stderr } = await run(['meet.mjs', dir], denied);
      context.expect(stdout, stderr).not.toBe('');
      const seen = Object.entries(JSON.parse(stdout) as Record<string, string>);
      context.expect(seen.filter(([, got]) => got !== 'ANNEX_INTEGRITY')).toEqual([]);
      for (const name of ['child.js', 'child.mjs']) {
        context.expect((await run([join(dir, name)], denied)).stdout).toBe('');
      }
    });

    test('an entry script of a damaged entry runs from a new one', async (context) => {
      const { dir, run } = await open(node, user);
      damage(dir, DAMAGES['an edited package.json'] ?? []);
      const { stdout, stderr } = await run([join(dir, 'child.js')]);
      context.expect({ stdout, stderr }).toMatchObject({
        stdout: 'sound\n',
        stderr: context.expect.stringMatching(/^annex: \S+ is damaged: \S/),
      });
    });

    test('a package.json planted above the store does not become the application', async (context) => {
      const { sandbox, dir, run } = await open(node, user);
      damage(dir, DAMAGES['edited modules'] ?? []);
      sandbox.write('volume/package.json', { annex: { features: { other: '*' } } });
      for (const name of ['child.js', 'child.mjs']) {
        const script = await run([join(dir, name)], denied);
        context.expect(script.stdout).toBe('');
        context.expect(script.stderr).toContain('ANNEX_INTEGRITY');
      }
    });
  });
}
