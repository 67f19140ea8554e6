/** A core with four features, and `annex refresh` on its store. */
import { expect } from 'vitest';
import type { RefreshResult } from '../../src/cli/store/refresh.ts';
import { esmPackage } from './fixtures.ts';
import { importIn } from './importer.ts';
import type { NodeUnderTest } from './nodes.ts';
import type { RunOptions, Sandbox } from './sandbox.ts';
import { openWorld } from './world.ts';

export const names = ['alpha', 'beta', 'gamma', 'delta'];
export const packages = names.map((name) => esmPackage(name, '1.0.0', `first ${name}`));
export const later = names.map((name) => esmPackage(name, '2.0.0', `second ${name}`));
export const declare = (range: string) =>
  Object.fromEntries(names.map((name) => [name, range])) as Record<string, string>;

export async function open(node: NodeUnderTest, copyAnnex = false) {
  const annex = { features: declare('^1.0.0') };
  const world = await openWorld({ packages, annex, node: node.path, copyAnnex });
  const { sandbox } = world;
  const ANNEX_CONFIG = sandbox.write('quick.json', { durability: 'none' });
  const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG };
  const off = { env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } };
  return {
    ...world,
    env,
    install: async (...features: string[]) =>
      expect((await sandbox.annex(['install', ...features], { env })).code).toBe(0),
    refresh: (options: RunOptions = {}) =>
      sandbox.annex(['refresh', '--json'], { ...options, env: { ...env, ...options.env } }),
    /** Markers of the loaded features, with installs off. */
    load: async (...wanted: string[]) => (await importIn(sandbox, wanted, off)).imported,
  };
}

/** By feature; the exit code is 0 whatever happens. */
export function read({ code, stdout }: { code: number | null; stdout: string }) {
  expect(code).toBe(0);
  const { results } = JSON.parse(stdout) as { results: RefreshResult[] };
  const flatten = ({ feature, ...rest }: RefreshResult): [string, { outcome: string }] => [
    feature,
    'refusal' in rest ? { outcome: rest.outcome, ...rest.refusal } : rest,
  ];
  return Object.fromEntries(results.map(flatten));
}

export const plant = (
  sandbox: Sandbox,
  name: string,
  options: { abi?: string; store?: string } = {},
) =>
  sandbox.plantEntry({
    feature: name,
    packages: [esmPackage(name, '1.0.0', 'planted')],
    specs: { [name]: '^1.0.0' },
    ...options,
  });
