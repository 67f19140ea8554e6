/** Concurrent installs of one feature: a process that waited uses the result of the one that tried. */
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadSettings } from '../../../src/app/settings.ts';
import { installFeature } from '../../../src/install/install.ts';
import type { Feature } from '../../../src/settings/feature.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { listRemembered } from '../../../src/store/failures.ts';
import { esmPackage } from '../../support/fixtures.ts';
import { startRegistry } from '../../support/registry.ts';
import { createSandbox } from '../../support/sandbox.ts';

test('five installs that ignore a remembered failure make one attempt and share its failure', async () => {
  const registry = await startRegistry([esmPackage('alpha', '1.0.0', 'alpha')]);
  onTestFinished(() => registry.stop());
  const sandbox = await createSandbox({ registry });
  onTestFinished(() => sandbox.cleanup());
  sandbox.setCore({ features: { alpha: '^1.0.0' } });
  const env = {
    ANNEX_CORE: sandbox.core,
    ANNEX_STORE: sandbox.store,
    ANNEX_LOG: 'silent',
    HOME: sandbox.home,
    npm_config_registry: registry.url,
    npm_config_cache: join(sandbox.root, 'cache'),
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const settings = loadSettings({ script: undefined, cwd: sandbox.core, self: undefined })
    .settings as Settings;
  const feature = settings.declaration.features.get('alpha') as Feature;
  const retry = () =>
    installFeature(settings, feature, { ignored: listRemembered(settings.store ?? '') });

  registry.fault({ kind: 'status', status: 404 });
  await installFeature(settings, feature, { isInstaller: true });
  expect(registry.requests).toHaveLength(1);
  const results = await Promise.all([1, 2, 3, 4, 5].map(retry));
  expect(registry.requests).toHaveLength(2);
  expect(results).toEqual(
    results.map(() => ({
      feature: 'alpha',
      outcome: 'failed',
      refusal: expect.objectContaining({ code: 'ANNEX_INSTALL_FAILED' }),
    })),
  );
  registry.fault(undefined);
  expect(await retry()).toMatchObject({ outcome: 'installed' });
});
