/** Tarballs that a failed try has received are not fetched again by the next one. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import type { PackageFixture } from '../support/registry.ts';
import { openWorld, type World } from '../support/world.ts';

/** A package with dependencies, and those. */
function listPackages(letters: string): PackageFixture[] {
  const names = [...letters].map((letter) => `part-${letter}`);
  const ranges = Object.fromEntries(names.map((name) => [name, '^1.0.0']));
  return [
    ...names.map((name) => esmPackage(name, '1.0.0', name)),
    dependentPackage('kit', '1.0.0', 'kit', ranges),
  ];
}

async function openLocked(letters = 'abcd'): Promise<World> {
  const packages = listPackages(letters);
  const world = await openWorld({ packages, annex: { features: { kit: '^1.0.0' } } });
  await lock(world.sandbox);
  world.registry.requests.length = 0;
  return world;
}

const listStaging = ({ sandbox }: World): string[] =>
  readdirSync(join(sandbox.store, 'v1', 'staging'));

/** The options of an install, without npm's cache, which `annex lock` has filled. */
const options = ({ sandbox }: World, extra: Record<string, string> = {}) => ({
  env: {
    ANNEX_STORE: sandbox.store,
    npm_config_cache: join(sandbox.root, 'empty-cache'),
    ...extra,
  },
});

test('a time limit below what the closure needs is enough for several tries', async () => {
  const world = await openLocked();
  const { sandbox, registry } = world;
  registry.fault({ kind: 'slow', ms: 1_000 }, /\.tgz$/);
  const limited = options(world, {
    ANNEX_CONFIG: sandbox.write('operator.json', { timeout: 2.5 }),
  });
  const codes: number[] = [];
  const reasons: string[] = [];
  while (codes.at(-1) !== 0 && codes.length < 6) {
    const { code, stderr } = await sandbox.annex(['install', 'kit'], limited);
    codes.push(code ?? -1);
    reasons.push(stderr);
  }
  expect(codes.length).toBeGreaterThan(1);
  expect(codes.at(-1)).toBe(0);
  expect(reasons[0]).toContain('ANNEX_TIMEOUT');
  // Each try repeats at most what was under way at its end.
  expect(registry.requests.length).toBeLessThanOrEqual(5 + 2 * (codes.length - 1));
  expect(listStaging(world)).toEqual([]);
});

test('after the failure of one tarball, the next try asks for that one alone', async () => {
  const world = await openLocked();
  const { sandbox, registry } = world;
  registry.fault({ kind: 'status', status: 404 }, /part-d/);
  expect((await sandbox.annex(['install', 'kit'], options(world))).code).toBe(1);
  expect(listStaging(world)).toEqual(['kit.kept']);
  registry.fault(undefined);
  registry.requests.length = 0;
  expect((await sandbox.annex(['install', 'kit'], options(world))).code).toBe(0);
  expect(registry.requests).toEqual(['GET /part-d/-/part-d-1.0.0.tgz']);
  expect(listStaging(world)).toEqual([]);
});

test('a failure lets the transfers under way finish', async () => {
  const world = await openLocked('abcdefghijkl');
  const { sandbox, registry } = world;
  registry.fault({ kind: 'slow', ms: 500 }, /\.tgz$/);
  registry.fault({ kind: 'status', status: 404 }, /part-h/);
  expect((await sandbox.annex(['install', 'kit'], options(world))).code).toBe(1);
  const asked = registry.requests.filter((line) => !line.includes('part-h'));
  expect(asked.length).toBeGreaterThan(8);
  expect(readdirSync(join(sandbox.store, 'v1/staging/kit.kept'))).toHaveLength(asked.length);
});
