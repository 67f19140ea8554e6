/** G4, G7: a reader of a store takes no lock, writes nothing and sends no request, by its system calls. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { outerNodes } from '../support/nodes.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'alpha')];
const annex = { features: { alpha: '^1.0.0' } };

const canTrace =
  spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;

const CALLS = 'trace=%file,%desc,%network';
const WRITING =
  /\b(?:open\w*\(.*(?:O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)|(?:p?write(?:v|64)?|creat|mkdir(?:at)?|rmdir|unlink(?:at)?|rename(?:at2?)?|link(?:at)?|symlink(?:at)?|mknod(?:at)?|f?chmod(?:at2?)?|[fl]?chown(?:at)?|utime\w*|f?truncate|fallocate|fsync|fdatasync|syncfs|flock|copy_file_range|sendfile|f?setxattr)\()/;

/** System calls of a program that imports alpha. */
async function traceImport(node: string) {
  const { sandbox, registry } = await openWorld({ packages, annex });
  const env = { ANNEX_STORE: sandbox.store };
  await importIn(sandbox, ['alpha'], { node, env });
  const asked = registry.requests.length;
  const out = join(sandbox.root, 'trace');
  const args = ['-f', '-qq', '-y', '-e', CALLS, '-e', 'signal=none', '-o', out];
  const program = [node, '--import', sandbox.loader, 'main.mjs', 'alpha'];
  const { stdout, stderr } = await sandbox.exec('strace', [...args, ...program], { env });
  const lines = readFileSync(out, 'utf8').split('\n');
  return { sandbox, lines, stdout, stderr, requests: registry.requests.length - asked };
}

describe.concurrent.each(outerNodes)('G7: not in the way, $label', (node) => {
  test('an installed feature needs no registry, and its store stays unchanged', async ({
    expect,
  }) => {
    const { sandbox, registry } = await openWorld({ packages, annex });
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    await importIn(sandbox, ['alpha'], options);
    await registry.stop();
    const before = sandbox.digest(sandbox.store);
    const { imported, stderr } = await importIn(sandbox, ['alpha'], options);
    expect(imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(stderr).toBe('');
    expect(sandbox.digest(sandbox.store)).toEqual(before);
  });

  test.runIf(canTrace)('an import of an installed feature', async ({ expect }) => {
    const { sandbox, lines, ...ran } = await traceImport(node.path);
    expect(JSON.parse(ran.stdout).alpha).toMatchObject({ marker: 'alpha' });
    expect(ran).toMatchObject({ stderr: '', requests: 0 });
    const inStore = lines.filter((line) => line.includes(sandbox.store));
    expect(inStore).toContainEqual(expect.stringMatching(/alpha\/index\.js.*O_RDONLY/));
    expect(inStore.filter((line) => WRITING.test(line))).toEqual([]);
    expect(lines.filter((line) => line.includes('/v1/locks'))).toEqual([]);
    expect(lines.filter((line) => line.includes('/v1/staging'))).toEqual([]);
    expect(lines.filter((line) => /AF_INET/.test(line))).toEqual([]);
    // The pattern does match: it finds the program's own output.
    expect(lines.filter((line) => WRITING.test(line)).join('\n')).toContain('marker');
  });
});
