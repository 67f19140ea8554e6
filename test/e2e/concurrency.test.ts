/** Concurrent processes: one install, one attempt, one valid entry, no debris. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, writeImporter } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const packages = [esmPackage('alpha', '1.0.0', 'alpha'), esmPackage('beta', '1.0.0', 'beta')];
const features = { alpha: '^1.0.0', beta: '^1.0.0' };
const EIGHT = Array.from({ length: 8 }, (_, index) => index);

let registry: Registry;
beforeEach(async () => {
  registry = await startRegistry(packages);
});

async function openSandbox(): Promise<Sandbox> {
  const sandbox = await createSandbox({ registry });
  sandbox.setCore({ features });
  writeImporter(sandbox);
  return sandbox;
}

const list = ({ store }: Sandbox, name: string): string[] => readdirSync(join(store, 'v1', name));

const countRequests = (match: RegExp): number =>
  registry.requests.filter((line) => match.test(line)).length;

describe.each(nodes)('$label', (node) => {
  test('eight processes that import the same missing feature make one install, and all succeed', async () => {
    const sandbox = await openSandbox();
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    const runs = await Promise.all(EIGHT.map(() => importIn(sandbox, ['alpha'], options)));
    for (const { imported } of runs) expect(imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(countRequests(/alpha-1\.0\.0\.tgz/)).toBe(1);
    expect(runs.flatMap(({ lines }) => lines)).toEqual([
      expect.stringMatching(/^annex: installing alpha /),
      expect.stringMatching(/^annex: installed alpha /),
    ]);
    expect(list(sandbox, 'any')).toHaveLength(1);
    for (const name of ['staging', 'locks', 'failures', 'retired']) {
      expect(list(sandbox, name)).toEqual([]);
    }
  });

  test('eight processes with a failing registry make one attempt, and each gets the reason', async () => {
    const sandbox = await openSandbox();
    registry.fault({ kind: 'status', status: 404 });
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    const runs = await Promise.all(EIGHT.map(() => importIn(sandbox, ['alpha'], options)));
    for (const { imported } of runs) {
      expectRefused(imported.alpha, 'ANNEX_INSTALL_FAILED', /E404/, 'alpha');
      expect(imported.alpha?.cause?.message).toMatch(/Next try at \d\d:\d\d:\d\d UTC/);
    }
    expect(countRequests(/alpha/)).toBe(1);
    const lines = runs.flatMap((run) => run.lines);
    expect(lines.filter((line) => line.startsWith('annex: installing'))).toHaveLength(1);
    expect(list(sandbox, 'failures')).toEqual(['alpha.json']);
    for (const name of ['staging', 'locks', 'any']) expect(list(sandbox, name)).toEqual([]);
  });

  test('no process on the store retries a failed feature, until a command does', async () => {
    const sandbox = await openSandbox();
    registry.fault({ kind: 'status', status: 404 });
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    const startedAt = Date.now();
    await importIn(sandbox, ['alpha'], options);
    const path = join(sandbox.store, 'v1/failures/alpha.json');
    const read = () => {
      const [only, ...others] = JSON.parse(readFileSync(path, 'utf8'));
      expect(others).toEqual([]);
      return only;
    };
    const first = read();
    expect(first).toEqual({
      key: expect.stringMatching(/^[0-9a-f]{16}$/),
      feature: 'alpha',
      refusal: {
        code: 'ANNEX_INSTALL_FAILED',
        reason: expect.stringContaining('E404'),
        hint: expect.any(String),
      },
      attempts: 1,
      at: expect.any(Number),
      until: expect.any(Number),
    });
    expect(first.until - first.at).toBeGreaterThanOrEqual(24_000);
    expect(first.until - first.at).toBeLessThanOrEqual(30_000);
    expect(first.at).toBeGreaterThanOrEqual(startedAt);
    expect(first.at).toBeLessThanOrEqual(Date.now());

    registry.fault(undefined);
    const asked = registry.requests.length;
    const second = await importIn(sandbox, ['alpha', 'alpha/sub', 'beta'], options);
    for (const name of ['alpha', 'alpha/sub']) {
      expectRefused(second.imported[name], 'ANNEX_INSTALL_FAILED', /E404/, 'alpha');
    }
    expect(second.imported.beta).toMatchObject({ marker: 'beta' });
    expect(registry.requests.slice(asked).join()).not.toContain('alpha');
    expect(second.lines.filter((line) => line.includes('alpha'))).toEqual([
      expect.stringMatching(/^annex: alpha unavailable .*Next try at/),
    ]);

    registry.fault({ kind: 'status', status: 404 });
    const failed = await sandbox.annex(['install', 'alpha'], options);
    expect(failed.code).toBe(1);
    // A command starts the count again.
    expect(read()).toMatchObject({ attempts: 1 });
    expect(read().at).toBeGreaterThan(first.at);

    registry.fault(undefined);
    const retried = await sandbox.annex(['install', 'alpha'], options);
    expect(retried.code).toBe(0);
    expect(list(sandbox, 'failures')).toEqual([]);
    const third = await importIn(sandbox, ['alpha'], options);
    expect(third.imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(third.stderr).toBe('');
  });

  test('a process that failed once does not retry, even if the store cannot remember the failure', async () => {
    const sandbox = await openSandbox();
    const env = { ANNEX_STORE: sandbox.store, npm_config_registry: 'http://127.0.0.1:1/' };
    sandbox.write('volume/annex/v1/failures', 'in the way');
    const options = { node: node.path, env };
    const { imported, lines } = await importIn(sandbox, ['alpha', 'alpha/sub', 'alpha'], options);
    expectRefused(imported.alpha, 'ANNEX_OFFLINE', /ECONNREFUSED/, 'alpha');
    expectRefused(imported['alpha/sub'], 'ANNEX_OFFLINE', /ECONNREFUSED/, 'alpha');
    expect(lines.filter((line) => line.startsWith('annex: installing'))).toHaveLength(1);
  });

  test('two features are installed concurrently', async () => {
    const sandbox = await openSandbox();
    registry.fault({ kind: 'slow', ms: 700 }, /alpha$/);
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    const [alpha, beta] = await Promise.all([
      importIn(sandbox, ['alpha'], options),
      importIn(sandbox, ['beta'], options),
    ]);
    expect(alpha?.imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(beta?.imported.beta).toMatchObject({ marker: 'beta' });
    expect(list(sandbox, 'any')).toHaveLength(2);
    expect(list(sandbox, 'staging')).toEqual([]);
  });
});
