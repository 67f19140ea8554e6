/** One lookup for each request: a process opens the files of a lock at most once for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { LOCK_FILES, lockBefore } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import type { RunOptions } from '../support/sandbox.ts';
import { parseTrace, strace, straceProblem } from '../support/strace.ts';

/** How often annex.json is opened, and each of the two other files, which only an install needs. */
const times = (anchor: number, project: number) => ({
  'annex.json': anchor,
  'package.json': project,
  'package-lock.json': project,
});

const openLocked = lockBefore({
  packages: [
    esmPackage('kit', '1.0.0', 'kit', { dependencies: { low: '^1.0.0' } }),
    esmPackage('low', '1.0.0', 'low'),
  ],
  annex: { features: { kit: '^1.0.0' } },
});

describe.runIf(straceProblem === undefined).concurrent.each(nodes)('$label', (one) => {
  const open = async () => {
    const { sandbox } = await openLocked({ node: one.path });
    const env = { ANNEX_STORE: sandbox.store };
    const install = [join(process.cwd(), 'dist/cli/main.js'), 'install', 'kit'];
    /** Runs a program, and counts how often its processes open each file of the lock. */
    const count = async (args: string[], options: RunOptions = { env }) => {
      const out = join(sandbox.root, 'trace');
      const flags = ['-f', '-qq', '-y', '-e', 'trace=open,openat', '-e', 'signal=none', '-o', out];
      const run = await sandbox.exec(strace ?? '', [...flags, one.path, ...args], options);
      expect(run.code, run.stderr).toBe(0);
      const opened = parseTrace(readFileSync(out, 'utf8')).flatMap(({ paths }) => paths);
      const dir = join(sandbox.core, 'annex', 'kit');
      const counts = LOCK_FILES.map((name) => [
        name,
        opened.filter((path) => path === join(dir, name)).length,
      ]);
      return { ...run, counts: Object.fromEntries(counts) as Record<string, number> };
    };
    const program = (body: string) => [
      '--import',
      sandbox.loader,
      sandbox.write('app/main.mjs', `import { ensure } from 'annex';\n${body}`),
    ];
    return { sandbox, count, install, program, env };
  };

  test('an installer that installs, and one that finds the entry', async () => {
    const { count, install } = await open();
    const first = await count(install);
    expect(first.stderr).toContain('annex: installed kit 1.0.0');
    expect(first.counts).toEqual(times(1, 1));
    expect((await count(install)).counts).toEqual(times(1, 0));
  });

  test('a program that installs: once for each of its requests, and once in its installer', async () => {
    const { count, program } = await open();
    const { counts } = await count(program("await import('kit');"));
    // Where import() waits for the install, it is requested again after that.
    expect(counts).toEqual(times(one.major < 22 ? 2 : 3, 2));
  });

  test('a program that is denied', async () => {
    const { count, program, env } = await open();
    const denied = { env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } };
    for (const call of ["import('kit')", "ensure('kit')"]) {
      const { counts } = await count(program(`await ${call}.catch(() => {});`), denied);
      expect({ call, counts }).toEqual({ call, counts: times(1, 0) });
    }
  });

  test('a hit of an import, and of an ensure before it', async () => {
    const { sandbox, count, program, env } = await open();
    await sandbox.annex(['install', 'kit'], { env });
    const imported = await count(program("console.log((await import('kit')).default);"));
    expect(imported.counts).toEqual(times(1, 0));
    const ensured = await count(program("await ensure('kit'); await import('kit');"));
    // On Node 20 the thread of the hooks verifies what it finds by itself.
    expect(ensured.counts).toEqual(times(one.major < 22 ? 2 : 1, 0));
  });
});
