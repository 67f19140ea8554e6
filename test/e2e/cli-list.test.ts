/** `annex list`: where each feature is, and why it is unavailable. */
import { chmodSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([esmPackage('alpha', '1.2.0', 'registry')]);
});

/** Size of all files of a tree, from its digest's paths. */
function sizeOf(sandbox: Sandbox, dir: string): number {
  const files = Object.entries(sandbox.digest(dir)).filter(([, what]) => what.startsWith('file'));
  return files.reduce((total, [path]) => total + statSync(join(dir, path)).size, 0);
}

describe.each(outerNodes)('$label', (node) => {
  test('a package may be named like a property that every object has', async () => {
    const { sandbox, annex, plant } = await openCli(node, { registry });
    const features = '{"constructor":"^1.0.0","valueOf":"^1.0.0","__proto__":"^1.0.0"}';
    sandbox.write('app/package.json', `{"annex":{"features":${features}}}`);
    const dir = plant('constructor', '1.2.0');
    const { stdout } = await annex(['list', '--json']);
    const found = JSON.parse(stdout).features;
    expect(found.map(({ feature, where }: Record<string, string>) => [feature, where])).toEqual([
      ['constructor', 'store'],
      ['valueOf', 'missing'],
      ['__proto__', 'denied'],
    ]);
    expect(found[0]).toMatchObject({ dir, packages: { constructor: { version: '1.2.0' } } });
    expect((await annex(['list'])).stdout).toMatch(/^valueOf +valueOf +\^1\.0\.0 +- +- +missing/m);
    for (const args of [['report'], ['why', 'constructor'], ['store', 'ls']]) {
      expect({ args, ...(await annex(args)) }).toMatchObject({ args, code: 0 });
    }
  });

  test('the size of an entry is the one that its install reported', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const { stderr } = await annex(['install', 'alpha'], { env: { ANNEX_LOG: 'json' } });
    const lines = stderr.trimEnd().split('\n');
    const { bytes } = JSON.parse(lines.find((line) => line.includes('"install.end"')) ?? '');
    expect(bytes).toBeGreaterThan(0);
    const { stdout } = await annex(['list', '--json']);
    expect(JSON.parse(stdout).features).toMatchObject([{ feature: 'alpha', bytes }]);
  });

  test('--metrics prints OpenMetrics text and nothing else, of one state too', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { stored: '^1.0.0', one: '^1.0.0' } });
    const dir = plant('stored', '1.0.0');
    const { code, stdout, stderr } = await annex(['list', '--metrics']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').filter((line) => /^annex_.*_(available|bytes)/.test(line))).toEqual([
      'annex_feature_available{feature="stored"} 1',
      'annex_feature_available{feature="one"} 0',
      `annex_entry_bytes{feature="stored"} ${sizeOf(sandbox, dir)}`,
    ]);
    expect(stdout.endsWith('\n# EOF\n')).toBe(true);
    const missing = await annex(['list', '--metrics', '--state', 'missing']);
    expect(missing.stdout).not.toContain('stored');
  });

  test('--quiet prints the names of features alone, of one state too', async () => {
    const { sandbox, annex, plant } = await openCli(node);
    sandbox.setCore({ features: { stored: '^1.0.0', one: '^1.0.0', two: '^1.0.0' } });
    plant('stored', '1.0.0');
    const quiet = { code: 0, stderr: '' };
    expect(await annex(['list', '-q'])).toMatchObject({ ...quiet, stdout: 'stored\none\ntwo\n' });
    const missing = await annex(['ls', '--quiet', '--state', 'missing']);
    expect(missing).toMatchObject({ ...quiet, stdout: 'one\ntwo\n' });
    const failed = await annex(['ls', '-q', '--state', 'failed']);
    expect(failed).toMatchObject({ ...quiet, stdout: '' });
  });

  test('list shows where every feature is, per feature and per package', async () => {
    const { sandbox, layer, annex, plant } = await openCli(node, { registry });
    const range = '^1.0.0';
    const names = ['shipped', 'stored', 'layered', 'absent'];
    const features = {
      ...Object.fromEntries(names.map((name) => [name, range])),
      'too-old': '^2.0.0',
      unknown: range,
      tagged: 'latest',
      pair: { packages: { shipped2: range, absent2: range } },
    };
    const shipped = ['shipped', 'too-old', 'shipped2'];
    const dependencies = Object.fromEntries(shipped.map((name) => [name, '*']));
    sandbox.setCore({ features }, { dependencies });
    for (const name of shipped) {
      sandbox.addPackage('app/node_modules', esmPackage(name, '1.2.0', 'core'));
    }
    const stored = plant('stored', '1.0.1');
    const layered = plant('layered', '1.0.2', { store: layer });
    expect((await annex(['install', 'unknown'])).code).toBe(1);

    const json = await annex(['list', '--json']);
    expect(json).toMatchObject({ code: 0, stderr: '' });
    const one = (name: string, where: string, version?: string) => ({
      [name]: { range, where, ...(version && { version }) },
    });
    const conflict = expect.objectContaining({ code: 'ANNEX_CONFLICT' });
    const failed = expect.objectContaining({
      state: expect.stringMatching(/^Next try at .* UTC/),
    });
    const denied = expect.objectContaining({ code: 'ANNEX_INVALID_CONFIG' });
    const state = 'available';
    const { features: listed, summary } = JSON.parse(json.stdout);
    expect(summary).toEqual({ available: 3, missing: 2, failed: 3 });
    expect(listed).toEqual([
      { feature: 'shipped', where: 'core', state, packages: one('shipped', 'core', '1.2.0') },
      {
        feature: 'stored',
        where: 'store',
        packages: one('stored', 'store', '1.0.1'),
        dir: stored,
        bytes: sizeOf(sandbox, stored),
        state,
        published: expect.stringMatching(/^\d{4}-.*Z$/),
      },
      {
        feature: 'layered',
        where: 'layer',
        packages: one('layered', 'layer', '1.0.2'),
        dir: layered,
        bytes: sizeOf(sandbox, layered),
        state,
        published: expect.stringMatching(/^\d{4}-.*Z$/),
      },
      {
        feature: 'absent',
        where: 'missing',
        state: 'missing',
        packages: one('absent', 'missing'),
      },
      {
        feature: 'too-old',
        where: 'core outside range',
        packages: {
          'too-old': { range: '^2.0.0', where: 'core outside range', version: '1.2.0' },
        },
        state: 'failed',
        refusal: conflict,
      },
      {
        feature: 'unknown',
        where: 'failed',
        packages: one('unknown', 'failed'),
        state: 'failed',
        refusal: failed,
      },
      {
        feature: 'tagged',
        where: 'denied',
        packages: { tagged: { range: 'latest', where: 'denied' } },
        state: 'failed',
        refusal: denied,
      },
      {
        feature: 'pair',
        where: 'missing',
        state: 'missing',
        packages: { ...one('shipped2', 'core', '1.2.0'), ...one('absent2', 'missing') },
      },
    ]);

    const then = new Date(Date.now() - 3.5 * 24 * 60 * 60_000);
    utimesSync(join(stored, 'annex-entry.json'), then, then);
    const text = (await annex(['list'])).stdout.trimEnd().split('\n');
    expect(text).toHaveLength(12);
    expect(text[0]).toMatch(/^feature +package +range +locked +installed +where +size +age +why$/);
    expect(text[2]).toMatch(/^stored +stored +\^1\.0\.0 +- +1\.0\.1 +store +0\.0 MB +3 d$/);
    expect(text[6]).toMatch(
      /^unknown +unknown +\^1\.0\.0 +- +- +failed +ANNEX_INSTALL_FAILED: it failed before: "npm: E404/,
    );
    expect(text[8]).toMatch(/^pair +shipped2 +\^1\.0\.0 +- +1\.2\.0 +core$/);
    expect(text[9]).toMatch(/^ +absent2 +\^1\.0\.0 +- +- +missing$/);
    expect(text[11]).toBe('3 available, 2 missing, 3 failed');

    const off = await annex(['list', '--json'], { env: { ANNEX_ALLOW_INSTALLS: '0' } });
    const states = JSON.parse(off.stdout).features.map((row: { where: string }) => row.where);
    expect(states).toEqual([
      'core',
      'store',
      'layer',
      'denied',
      'core outside range',
      'denied',
      'denied',
      'denied',
    ]);
  });

  test('--state lists the features in one state, and the summary still counts all', async () => {
    const { sandbox, annex, plant } = await openCli(node, { registry });
    const range = '^1.0.0';
    sandbox.setCore({ features: { stored: range, absent: range, tagged: 'latest' } });
    plant('stored', '1.0.0');
    for (const [state, feature] of [
      ['available', 'stored'],
      ['missing', 'absent'],
      ['failed', 'tagged'],
    ]) {
      const { code, stdout } = await annex(['list', '--state', state ?? '']);
      const [head, row, ...rest] = stdout.trimEnd().split('\n');
      expect({ code, head: head?.slice(0, 8), row: row?.split(' ')[0], rest }).toEqual({
        code: 0,
        head: 'feature ',
        row: feature,
        rest: ['', '1 available, 1 missing, 1 failed'],
      });
      const json = await annex(['list', '--state', state ?? '', '--json']);
      expect(JSON.parse(json.stdout)).toMatchObject({
        features: [{ feature, state }],
        summary: { available: 1, missing: 1, failed: 1 },
      });
    }
    sandbox.setCore({ features: { stored: range } });
    expect(await annex(['list', '--state', 'failed'])).toMatchObject({
      code: 0,
      stdout: '1 available, 0 missing, 0 failed\n',
    });
    const wrong = await annex(['list', '--state', 'faild']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(
      /--state is available, missing or failed, not "faild"; did you mean failed\?/,
    );
  });

  test('--check fails for a denied, failed or damaged feature, and not for a missing one', async () => {
    const { sandbox, annex, plant } = await openCli(node, { registry });
    const range = '^1.0.0';
    const check = async (env: Record<string, string> = {}) =>
      (await annex(['list', '--check'], { env })).code;
    sandbox.setCore({ features: { stored: range, absent: range } });
    const entry = plant('stored', '1.0.0');
    expect(await check()).toBe(0);
    expect(await check({ ANNEX_ALLOW_INSTALLS: '0' })).toBe(1);
    expect((await annex(['install', 'absent'])).code).toBe(1);
    expect(await check()).toBe(1);
    sandbox.setCore({ features: { stored: range } });
    expect(await check()).toBe(0);
    writeFileSync(join(entry, 'annex-entry.json'), '{}');
    expect(await check()).toBe(1);
    const { stdout } = await annex(['list', '--check', '--state', 'failed']);
    expect(stdout).toContain('annex-entry.json is not as annex wrote it');
  });

  test('the locked version is beside the installed one, and text from a store is escaped', async () => {
    const { sandbox, annex, plant } = await openCli(node, { registry });
    sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^1.0.0' } });
    expect((await annex(['lock', 'alpha'])).code).toBe(0);
    const packages = [esmPackage('beta', '1.0.0\u001b[2J\nalpha', 'planted')] as const;
    plant('beta', '1.0.0', { packages });
    const { stdout } = await annex(['list']);
    expect(stdout).toMatch(/^alpha +alpha +\^1\.0\.0 +1\.2\.0 +- +missing$/m);
    expect(stdout).toMatch(/^beta +beta +\^1\.0\.0 +- +1\.0\.0\\u001b\[2J\\nalpha +store/m);
    const { features } = JSON.parse((await annex(['list', '--json'])).stdout);
    expect(features[0].packages.alpha).toEqual({
      range: '^1.0.0',
      where: 'missing',
      locked: '1.2.0',
    });
  });

  test('reports a core without features', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    const { code, stdout, stderr } = await annex(['list']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^annex: no package\.json declares features.* \(ANNEX_INVALID_CONFIG\)\. Now: .*\n$/,
    );
    const env = { ANNEX_CORE: sandbox.core };
    for (const args of [['list'], ['lock'], ['lock', '--check'], ['install', '--all']]) {
      expect({ args, ...(await annex(args, { env })) }).toMatchObject({
        args,
        code: 0,
        stdout: `no features are declared in ${sandbox.core}/package.json. Now: npx annex init\n`,
      });
    }
    const json = await annex(['list', '--json'], { env });
    expect(JSON.parse(json.stdout).features).toEqual([]);
  });

  test.runIf(process.getuid?.() === 0)(
    'an entry whose size cannot be read is still listed',
    async () => {
      const { sandbox, annex, plant } = await openCli(node);
      sandbox.setCore({ features: { stored: '^1.0.0' } });
      const dir = plant('stored', '1.0.0');
      chmodSync(join(dir, 'node_modules'), 0o700);
      const env = { ANNEX_CONFIG: sandbox.write('annex.json', { verify: 'off' }) };
      const { code, stdout } = await annex(['list'], { uid: 1234, env });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^stored +stored +\^1\.0\.0 +- +1\.0\.0 +store +0 min$/m);
    },
  );
});
