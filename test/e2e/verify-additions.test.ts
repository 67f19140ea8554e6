/** G5, G7: a package may write beside itself; an addition that could change a resolution is damage. */
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'vitest';
import { listEntries, lock } from '../support/lock-files.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { asPlainUser, giveTo, isRoot, PLAIN_USER, users } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

/** Downloads a model on the first use, like packages for machine learning, and reads it on the next. */
const model: PackageFixture = {
  name: 'model',
  version: '1.0.0',
  files: {
    'index.js': `import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
const home = fileURLToPath(new URL('.', import.meta.url));
const cache = home + '.cache/acme/model/';
export const marker = existsSync(cache + 'weights.onnx') ? 'cached' : 'fetched';
chmodSync(home, 0o755);
mkdirSync(cache, { recursive: true });
writeFileSync(cache + 'weights.onnx', 'weights');
if (process.argv.includes('config')) writeFileSync(cache + 'config.json', '{}');
`,
  },
  manifest: { type: 'module', exports: './index.js' },
};

async function open(node: NodeUnderTest, user: typeof asPlainUser) {
  const annex = { features: { model: '^1.0.0' } };
  const options = { packages: [model], annex, node: node.path, copyAnnex: true };
  const { sandbox } = await openWorld(options);
  await lock(sandbox);
  sandbox.write('app/use.mjs', `console.log((await import('model')).marker);`);
  giveTo(user, sandbox.root);
  const env = { ANNEX_STORE: sandbox.store };
  await sandbox.annex(['install', 'model'], { env, ...user });
  const use = async (...args: string[]) => {
    const flags = ['--import', sandbox.loader, 'use.mjs', ...args];
    const offline = { ...env, ANNEX_ALLOW_INSTALLS: '0' };
    return (await sandbox.run(flags, { env: offline, ...user })).stdout;
  };
  return { sandbox, env, use };
}

describe.concurrent.each(nodes)('$label', (node) => {
  test.for(users)('a cache in the package stays, offline too: $who', async ({ user }, context) => {
    const { sandbox, env, use } = await open(node, user);
    context
      .expect([await use(), await use(), await use()])
      .toEqual(['fetched\n', 'cached\n', 'cached\n']);
    const { code, stdout } = await sandbox.annex(['verify'], { env, ...user });
    context.expect(code).toBe(0);
    context.expect(stdout).toContain('model/.cache was added, and changes nothing');
    const [entry = ''] = listEntries(sandbox);
    context.expect(existsSync(join(entry, 'node_modules/model/.cache'))).toBe(true);
  });

  test('a cache that this user cannot read, or whose name is not UTF-8, is not damage', async (context) => {
    const { sandbox, env, use } = await open(node, asPlainUser);
    const [entry = ''] = listEntries(sandbox);
    const cache = join(entry, 'node_modules/model/.cache');
    chmodSync(dirname(cache), 0o755);
    mkdirSync(join(cache, 'private'), { recursive: true, mode: 0o755 });
    chmodSync(join(cache, 'private'), 0);
    mkdirSync(Buffer.concat([Buffer.from(`${cache}/caf`), Buffer.from([0xe9])]));
    if (isRoot) chownSync(cache, PLAIN_USER.uid, PLAIN_USER.gid);
    context.expect(await use()).toBe('fetched\n');
    const { code, stdout } = await sandbox.annex(['verify'], { env, ...asPlainUser });
    context.expect(code, stdout).toBe(0);
    chmodSync(join(cache, 'private'), 0o755);
  });

  test('a file that Node could load, and that the package only reads, is no damage', async (context) => {
    const { use } = await open(node, {});
    context.expect([await use('config'), await use()]).toEqual(['fetched\n', 'cached\n']);
  });
});
