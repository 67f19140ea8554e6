/** An application whose bundle contains annex starts, finds annex's own files, or says why it cannot install. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type OutputOptions, rolldown } from 'rolldown';
import { describe, expect, test } from 'vitest';
import { EXTERNAL, IN_BUNDLE, SOURCE } from '../support/bundled.ts';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const FORMATS = ['esm', 'cjs'] as const satisfies OutputOptions['format'][];

describe.each(nodes)('$label', ({ path: node, major }) => {
  const loader = major >= 22 ? 'sync' : 'off-thread';

  /** Bundles the application into \`app/out\`, with annex installed in the core by default. */
  async function open(format: (typeof FORMATS)[number]): Promise<Sandbox> {
    const registry = await startRegistry([esmPackage('absent', '1.0.0', 'installed')]);
    const sandbox = await createSandbox({ registry });
    sandbox.setCore({ features: { stored: '*', absent: '*' } });
    const pkg = esmPackage('stored', '1.0.0', 'stored');
    sandbox.plantEntry({ feature: 'stored', packages: [pkg], specs: { stored: '*' } });
    const bundle = await rolldown({
      input: sandbox.write('app/src/main.mjs', SOURCE),
      platform: 'node',
      external: ['stored', 'absent'],
      onLog: () => {},
    });
    const file = join(sandbox.core, 'out', format === 'esm' ? 'main.mjs' : 'main.cjs');
    await bundle.write({ file, format, codeSplitting: false });
    await bundle.close();
    return sandbox;
  }

  async function run(sandbox: Sandbox, format: string, flags: string[] = []) {
    const main = format === 'esm' ? 'out/main.mjs' : 'out/main.cjs';
    const env = { ANNEX_STORE: sandbox.store };
    const { code, stdout, stderr } = await sandbox.run([...flags, main], { node, env });
    return { code, stderr, seen: code === 0 ? (JSON.parse(stdout) as string[]) : stdout };
  }

  test.each(FORMATS)(
    '%s, with annex installed in the application, works as without a bundle',
    async (format) => {
      const sandbox = await open(format);
      const { code, stderr, seen } = await run(sandbox, format);
      expect({ code, stderr, seen }).toMatchObject({
        code: 0,
        seen: [loader, 'stored', 'store', 'installed'],
      });
    },
  );

  test.each(FORMATS)(
    '%s, without annex beside it but under its loader, uses the files of the loader',
    async (format) => {
      const sandbox = await open(format);
      rmSync(join(sandbox.core, 'node_modules', 'annex'));
      symlinkSync(repositoryRoot, join(sandbox.root, 'annex'));
      const { code, stderr, seen } = await run(sandbox, format, [
        '--import',
        join(sandbox.root, 'annex', 'loader.mjs'),
      ]);
      expect({ code, stderr, seen }).toMatchObject({
        code: 0,
        seen: [loader, 'stored', 'store', 'installed'],
      });
    },
  );

  test.each(FORMATS)(
    '%s, without any annex, starts, and a line says that annex has to stay external',
    async (format) => {
      const sandbox = await open(format);
      rmSync(join(sandbox.core, 'node_modules', 'annex'));
      const { code, stderr, seen } = await run(sandbox, format);
      expect(code).toBe(0);
      expect(stderr).toMatch(IN_BUNDLE);
      expect(stderr).not.toContain('Next try');
      if (major >= 22) {
        expect(seen.slice(0, 2)).toEqual([loader, 'stored']);
        expect(seen[2]).toMatch(EXTERNAL);
      } else {
        // Its hooks run in a thread, from a separate file.
        expect(seen[0]).toBe('inactive');
        expect(seen[2]).toMatch(EXTERNAL);
      }
    },
  );

  test('a copy of annex without some files, as in a traced image: one line names the missing file', async () => {
    const sandbox = await createSandbox({ copyAnnex: true });
    sandbox.setCore({ features: { stored: '*', absent: '*' } });
    const pkg = esmPackage('stored', '1.0.0', 'stored');
    sandbox.plantEntry({ feature: 'stored', packages: [pkg], specs: { stored: '*' } });
    const dist = join(sandbox.core, 'node_modules', 'annex', 'dist');
    for (const name of ['cli', 'hooks']) rmSync(join(dist, name), { recursive: true });
    sandbox.write('app/out/main.mjs', SOURCE);
    const { code, stderr, seen } = await run(sandbox, 'esm');
    expect(code, stderr).toBe(0);
    const missing = join(dist, major >= 22 ? 'cli/main.js' : 'hooks/import-node20.js');
    expect(stderr).toContain(`${missing} is missing: this copy of annex `);
    expect(seen[0]).toBe(major >= 22 ? 'sync' : 'inactive');
    expect(seen[2]).toMatch(/^ANNEX_INSTALL_FAILED: ship all files of the package annex/);
  });

  test.each(['import', 'require'])(
    'a program outside of the application of ANNEX_CORE gets the reason (%s)',
    async (kind) => {
      const sandbox = await createSandbox();
      sandbox.setCore({ features: { stored: '*' } });
      const ask =
        kind === 'import' ? `import('stored')` : `Promise.resolve().then(() => require('stored'))`;
      const show =
        '({ code, message, cause }) => console.log(JSON.stringify([code, message, cause?.code, cause?.hint]))';
      sandbox.write('deploy/bundle.cjs', `${ask}.catch(${show});`);
      const env = { ANNEX_STORE: sandbox.store, ANNEX_CORE: sandbox.core };
      const args = ['--import', sandbox.loader, 'bundle.cjs'];
      const { stdout } = await sandbox.run(args, { node, env, cwd: 'deploy' });
      const [code, message, why, hint] = JSON.parse(stdout) as string[];
      expect(code).toBe(kind === 'import' ? 'ERR_MODULE_NOT_FOUND' : 'MODULE_NOT_FOUND');
      expect(message).toMatch(/^annex: stored unavailable .+ outside of the application /m);
      expect({ why, hint }).toEqual({
        why: 'ANNEX_DENIED',
        hint: expect.stringContaining('annex.importers'),
      });
    },
  );
});
