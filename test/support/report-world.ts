/** A core with a lock of two features, and npm's reports over it. */
import { join } from 'node:path';
import { beforeAll, beforeEach, expect } from 'vitest';
import { dependentPackage, esmPackage } from './fixtures.ts';
import { lock } from './lock-files.ts';
import { type Registry, startRegistry } from './registry.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

export const common = (version: string) =>
  esmPackage('common', version, `common ${version}`, { dependencies: { deep: '^1.0.0' } });
/** Optional: some reports leave those out. */
const WITH_ALPHA = { optionalDependencies: { alpha: '^1.0.0' } };
export const alpha = esmPackage('alpha', '1.0.0', 'alpha');
export const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0' }, WITH_ALPHA),
  common('1.2.0'),
  common('1.7.0'),
  alpha,
  esmPackage('deep', '1.5.0', 'deep'),
  esmPackage('@acme/other.js', '3.0.0', 'other', { license: 'MIT' }),
];

/** The parts of npm's reports that tests use. */
export interface Audit {
  vulnerabilities: Record<string, { nodes: string[] }>;
}
export interface CycloneDx {
  serialNumber: string;
  metadata: { timestamp: string; component: { name: string; version: string } };
  components: { name: string; version: string; purl?: string; 'bom-ref': string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}
export interface Spdx {
  spdxVersion: string;
  packages: { name: string; versionInfo: string; externalRefs: { referenceLocator: string }[] }[];
}

export const both = { kit: '^1.0.0', '@acme/other.js': '^3.0.0' };

export let locked: Sandbox;
export let registry: Registry;
export let sandbox: Sandbox;

export const open = async () => {
  registry = await startRegistry(packages);
  sandbox = await createSandbox({ registry });
  declare({ kit: '^1.0.0' });
  ship(common('1.2.0'), esmPackage('deep', '1.0.0', 'deep'));
};
export const declare = (features: object): void =>
  sandbox.setCore({ features }, { name: '@acme/app', dependencies: { common: '*' } });
export const ship = (...shipped: typeof packages): void => {
  for (const pkg of shipped) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
};
beforeAll(async () => {
  await open();
  locked = sandbox;
  declare(both);
  await lock(locked);
  await registry.stop();
});
beforeEach(open);
export const run = (...args: string[]) =>
  sandbox.annex(args, { env: { ANNEX_STORE: sandbox.store } });
export const audit = async (...args: string[]) => {
  const { code, stdout, stderr } = await run('audit', '--json', ...args);
  return { code, stderr, found: Object.keys((JSON.parse(stdout) as Audit).vulnerabilities) };
};
export const list = async (...args: string[]) => {
  const { code, stdout, stderr } = await run('sbom', ...args);
  expect(stdout).not.toContain(sandbox.root);
  expect(stdout).not.toContain('annex-report-');
  const document = JSON.parse(stdout) as CycloneDx;
  const purls = new Set(document.components.flatMap(({ purl }) => purl ?? []));
  return { code, stderr, document, purls };
};
