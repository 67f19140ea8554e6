/** Unrequested encodings, user agents, git dependencies, old names: annex accepts what npm accepts. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { lock } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { openStrange, type Strangeness } from '../support/strange-registry.ts';

const kit = esmPackage('kit', '1.0.0', 'kit');

const open = (
  node: string,
  { packages = [kit], ...strangeness }: Strangeness & { packages?: PackageFixture[] },
) => openStrange(node, packages, strangeness);

const sendEncoded: Strangeness['send'] = (response, body) => {
  response.setHeader('content-encoding', 'gzip');
  response.end(gzipSync(body));
};
const sendLabelled: Strangeness['send'] = (response, body, kind) => {
  if (kind === 'tarball') response.setHeader('content-encoding', 'gzip');
  response.end(body);
};

describe.concurrent.each(outerNodes)('$label', ({ path: node }) => {
  test.for([
    ['is encoded all the same', sendEncoded],
    ['is labelled as encoded, and is not', sendLabelled],
  ] as const)('an answer that %s', async ([, send], { expect }) => {
    for (const isLocked of [false, true]) {
      const { sandbox, env } = await open(node, { send });
      if (isLocked) await lock(sandbox);
      const { imported } = await importIn(sandbox, ['kit'], { env });
      expect(imported.kit?.marker).toBe('kit');
    }
  });

  const guard: Strangeness['guard'] = ({ headers }, response) => {
    if (/^npm\//.test(headers['user-agent'] ?? '')) return false;
    response.writeHead(403).end('{}');
    return true;
  };
  const guardOwn: Strangeness['guard'] = ({ headers }, response) => {
    if (headers['user-agent'] === `corp ${process.platform} npm`) return false;
    response.writeHead(403).end('{}');
    return true;
  };
  test.for([
    ['npm/...', guard, ''],
    ['a name of its own', guardOwn, 'user-agent=corp {platform} npm\n'],
  ] as const)('a registry that lets in %s alone', async ([, only, line], { expect }) => {
    const { sandbox, env, registry } = await open(node, { guard: only });
    sandbox.write('app/.npmrc', `registry=${registry.url}\n${line}`);
    await lock(sandbox);
    const { imported } = await importIn(sandbox, ['kit'], { env });
    expect(imported.kit?.marker).toBe('kit');
  });

  test('an old name with capitals, declared and in a closure', async ({ expect }) => {
    const packages = [
      esmPackage('kit', '1.0.0', 'kit', { dependencies: { JSONStream: '^1.3.0' } }),
      cjsPackage('JSONStream', '1.3.5', 'stream'),
    ];
    const { sandbox, env } = await open(node, { packages });
    sandbox.setCore({ features: { kit: '^1.0.0', JSONStream: '^1.3.0' } });
    await lock(sandbox);
    const { imported } = await importIn(sandbox, ['kit', 'JSONStream'], { env });
    expect(imported.kit?.marker).toBe('kit');
    expect(imported.JSONStream?.marker).toBe('stream');
    const listed = await sandbox.annex(['list'], { env });
    expect(listed.stdout).toMatch(/^JSONStream .*store/m);
    expect(await sandbox.annex(['add', 'JSONStream@^1.3.0'], { env })).toMatchObject({ code: 0 });
  });

  test('a git dependency is refused with its own reason', async ({ expect }) => {
    const { sandbox: first } = await open(node, {});
    const repository = join(first.root, 'repository');
    first.write('repository/package.json', { name: 'forked', version: '2.0.0' });
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        cwd: repository,
        stdio: 'pipe',
      });
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '-m', 'first');
    const dependencies = { forked: `git+file://${repository}` };
    const packages = [esmPackage('kit', '1.0.0', 'kit', { dependencies })];
    const { sandbox, env } = await open(node, { packages });
    const { imported } = await importIn(sandbox, ['kit'], { env });
    const reason = /kit depends on forked 2\.0\.0 from a git repository/;
    expectRefused(imported.kit, 'ANNEX_INSTALL_FAILED', reason);
    const { code, stderr } = await sandbox.annex(['lock']);
    expect(code).toBe(1);
    expect(stderr).toMatch(reason);
  });

  test('an unreachable git repository is reported as such', async () => {
    const dependencies = { forked: 'git+https://127.0.0.1:9/forked.git' };
    const packages = [esmPackage('kit', '1.0.0', 'kit', { dependencies })];
    const { sandbox, env } = await open(node, { packages });
    const { imported } = await importIn(sandbox, ['kit'], { env });
    expectRefused(imported.kit, 'ANNEX_INSTALL_FAILED', /a git repository/);
  });
});
