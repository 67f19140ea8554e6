/** The programming interface on success, and when the loader is not active. */
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openApi } from '../support/api.ts';
import { dualPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

const range = '^1.0.0';
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([
    esmPackage('alpha', '1.2.0', 'registry'),
    dualPackage('beta', '1.0.0', 'registry'),
  ]);
});

test('the types of the whole interface work in a TypeScript program', async () => {
  const sandbox = await createSandbox();
  const source = (hint: string) => `import 'annex/register';
    import { AnnexError, ensure, isAvailable, load, onEvent, status } from 'annex';
    import type { ErrorCode, FeatureStatus, Status, Whereabouts } from 'annex';
    const { loader, features }: Status = status();
    const kind: 'sync' | 'off-thread' | 'inactive' = loader;
    const where: Whereabouts | undefined = features[0]?.where;
    const found: FeatureStatus = await ensure('alpha');
    const code: ErrorCode | undefined = found.refusal?.code;
    const error: unknown = isAvailable('alpha');
    if (error instanceof AnnexError) { const hint: ${hint} = error.hint; }
    declare module 'annex' { interface Packages { path: typeof import('annex') } }
    const known: boolean = (await load('path')).isAvailable('alpha');
    const given: boolean = (await load<typeof import('annex')>('alpha')).isAvailable('alpha');
    const other: unknown = await load('alpha');
    onEvent(({ event, trace }) => {
      if (event === 'install.end') { const feature: string = trace.feature; void feature; }
    });
    export { code, given, kind, known, other, where };`;
  const check = async (hint: string) => {
    const file = sandbox.write('app/main.mts', source(hint));
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const tsc = join(repositoryRoot, 'node_modules', '.bin', 'tsc');
    return sandbox.exec(tsc, [...flags, '--types', '', file]);
  };
  expect(await check('string')).toMatchObject({ code: 0, stdout: '' });
  expect((await check('number')).stdout).toContain(
    "Type 'string' is not assignable to type 'number'",
  );
});

for (const node of nodes) {
  const kind = node.major >= 22 ? 'sync' : 'off-thread';

  describe(node.label, () => {
    test('ensure installs once for all callers, never blocks, and imports then work', async () => {
      const { sandbox, runProgram } = await openApi(node, registry, {
        'search.all': { packages: { alpha: range, beta: range } },
      });
      const core = sandbox.digest(sandbox.core);
      const asked = registry.requests.length;
      registry.fault({ kind: 'slow', ms: 300 });
      onTestFinished(() => registry.fault(undefined));
      const program = `
        import { createRequire } from 'node:module';
        result.before = ['search.all', 'alpha', 'beta'].map(isAvailable);
        result.loader = status().loader;
        let ticks = 0;
        const timer = setInterval(() => ticks++, 10);
        const names = ['search.all', 'alpha', 'beta', 'alpha'];
        const all = await Promise.all(names.map((name) => ensure(name)));
        clearInterval(timer);
        result.ticks = ticks;
        result.same = all.every(({ dir, where }) => dir === all[0].dir && where === 'store');
        result.packages = all[0].packages;
        result.after = ['search.all', 'alpha', 'beta'].map(isAvailable);
        result.markers = await Promise.all(['alpha', 'beta'].map(importMarker));
        result.flavor = createRequire(import.meta.url)('beta').flavor;
        result.features = status().features.map(({ feature, where }) => [feature, where]);
      `;
      const { result, lines } = await runProgram(program);
      expect(result).toMatchObject({
        before: [false, false, false],
        loader: kind,
        same: true,
        packages: {
          alpha: { range, where: 'store', version: '1.2.0' },
          beta: { version: '1.0.0' },
        },
        after: [true, true, true],
        markers: ['registry', 'registry'],
        flavor: 'require',
        features: [['search.all', 'store']],
      });
      expect(result.ticks).toBeGreaterThan(3);
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatch(
        /^annex: installing search\.all \(alpha@\^1\.0\.0, beta@\^1\.0\.0, not locked\) into /,
      );
      expect(lines[1]).toMatch(/^annex: installed alpha 1\.2\.0, beta 1\.0\.0 in [\d.]+ s /);
      const tarballs = registry.requests.slice(asked).filter((line) => line.endsWith('.tgz'));
      expect(tarballs.sort()).toEqual([
        'GET /alpha/-/alpha-1.2.0.tgz',
        'GET /beta/-/beta-1.0.0.tgz',
      ]);

      registry.fault(undefined);
      const quiet = registry.requests.length;
      const store = sandbox.digest(sandbox.store);
      const again = await runProgram(
        `result.status = await ensure('beta'); result.marker = await importMarker('beta');`,
      );
      expect(again.result).toMatchObject({ status: { where: 'store' }, marker: 'registry' });
      expect(again.lines).toEqual([]);
      expect(registry.requests, 'G7: no network').toHaveLength(quiet);
      expect(sandbox.digest(sandbox.store), 'G7: no writes').toEqual(store);
      const { 'main.mjs': _, '.': __, ...after } = sandbox.digest(sandbox.core);
      const { '.': ___, ...before } = core;
      expect(after, 'G2: the core is as it was').toEqual(before);
    });

    test("import 'annex/register' as the first line activates the loader", async () => {
      const { sandbox, runProgram } = await openApi(node, registry, { alpha: range });
      sandbox.plantEntry({
        feature: 'alpha',
        packages: [esmPackage('alpha', '1.0.0', 'planted')],
        specs: { alpha: range },
      });
      const { result, lines } = await runProgram(
        `import 'annex/register';
         result.loader = status().loader;
         result.where = (await ensure('alpha')).where;
         result.marker = await importMarker('alpha');`,
        { flags: [] },
      );
      expect({ result, lines }).toEqual({
        result: { loader: kind, where: 'store', marker: 'planted' },
        lines: [],
      });
    });

    test('without an active loader ensure still installs, and reports once that imports do not see it', async () => {
      const { runProgram } = await openApi(node, registry, { alpha: range, beta: range });
      const { result, lines } = await runProgram(
        `result.loader = status().loader;
         result.alpha = (await ensure('alpha')).where;
         result.beta = (await ensure('beta')).where;
         result.available = ['alpha', 'beta'].map(isAvailable);
         const error = await import('alpha').catch((thrown) => thrown);
         result.error = [error.code, error.cause, error.message.includes('annex:')];`,
        { flags: [] },
      );
      expect(result).toEqual({
        loader: 'inactive',
        alpha: 'store',
        beta: 'store',
        available: [true, true],
        error: ['ERR_MODULE_NOT_FOUND', null, false],
      });
      const warnings = lines.filter((line) => line.includes('the loader is not active'));
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/^annex: the loader is not active, .*--import.*annex\/register/);
      expect(lines).toHaveLength(5);
    });

    test('a failure is reported, remembered by every process, and forgotten after an install', async () => {
      const name = `late-${node.major}-${node.minor}`;
      const { sandbox, runProgram } = await openApi(node, registry, {
        [name]: range,
        alpha: range,
      });
      const program = `
        result.first = await attempt(ensure('${name}'));
        result.second = await attempt(ensure('${name}'));
        result.status = status().features[0];
        result.alpha = (await ensure('alpha')).where;`;
      const { result } = await runProgram(program);
      const refusal = { isOurs: true, code: 'ANNEX_INSTALL_FAILED', feature: name };
      expect(result).toMatchObject({
        first: { error: refusal },
        second: { error: refusal },
        status: { where: 'failed', refusal: { code: 'ANNEX_INSTALL_FAILED' } },
        alpha: 'store',
      });
      expect(result.second.error.message).toMatch(
        /npm: E404 .*\. Next try at \d\d:\d\d:\d\d UTC; other features unaffected\. Now: /,
      );
      await registry.add(esmPackage(name, '1.0.0', 'registry'));
      const asked = registry.requests.length;
      const other = await runProgram(`result.ensured = await attempt(ensure('${name}'));`);
      expect(other.result).toMatchObject({ ensured: { error: refusal } });
      expect(registry.requests).toHaveLength(asked);
      expect(
        (
          await sandbox.annex(['install', name], {
            node: node.path,
            env: { ANNEX_STORE: sandbox.store },
          })
        ).code,
      ).toBe(0);
      const healed = await runProgram(
        `result.marker = (await ensure('${name}'), await importMarker('${name}'));`,
      );
      expect(healed.result).toEqual({ marker: 'registry' });
    });
  });
}
