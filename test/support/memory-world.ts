/** A store and a core whose failures are remembered in this process. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, onTestFinished } from 'vitest';
import { createLookup, type Lookup } from '../../src/app/lookup.ts';
import { digest } from '../../src/base/digest.ts';
import type { Feature } from '../../src/settings/feature.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { findRemembered } from '../../src/status/failure-memory.ts';
import type { Ignored } from '../../src/store/failures.ts';
import type { Refusal } from '../../src/types.ts';
import { makeFeature } from './feature.ts';
import { removeTree } from './tree.ts';

export const alpha = makeFeature('alpha');
export const beta = makeFeature('beta');
export const HOST = 'registry.corp:4873';
export const SECRET = 's3cr3t';
export const refusal: Refusal = {
  code: 'ANNEX_OFFLINE',
  reason: 'no answer',
  hint: 'try later',
  host: HOST,
};
export const { host: _, ...unknown } = refusal;

export let root: string;
export let settings: Settings;
beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-memory-'));
  onTestFinished(() => removeTree(root));
  mkdirSync(join(root, 'store/v1'), { recursive: true });
  writeNpmrc('');
  settings = {
    core: { root, realRoot: root },
    store: join(root, 'store'),
    timeout: 1000,
    blocked: [],
    startEnv: {},
  } as unknown as Settings;
  const usual = process.env;
  onTestFinished(() => {
    process.env = usual;
  });
  process.env = { HOME: join(root, 'home'), npm_config_registry: `http://${HOST}/npm` };
});

/** Calls a function in this process with additional variables. */
export function callWith<T>(env: Record<string, string>, run: () => T): T {
  const before = process.env;
  process.env = { ...before, ...env };
  try {
    return run();
  } finally {
    process.env = before;
  }
}

export const writeNpmrc = (text: string): void => writeFileSync(join(root, '.npmrc'), text);

/** Writes the parts of a lock of a feature that are read. */
export function writeLock({ name: feature, slug, packages, scripts }: Feature, note = ''): void {
  const dir = join(root, 'annex', slug);
  mkdirSync(dir, { recursive: true });
  const texts = { 'package.json': '{}', 'package-lock.json': `{"note":"${note}"}` };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(dir, name), text);
  const digests = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, digest(text)]),
  );
  const empty = { shared: {}, ids: {}, packages: {}, platforms: [], private: [], unshared: [] };
  const sidecar = { format: 2, feature, specs: packages, scripts, digests, ...empty };
  writeFileSync(join(dir, 'annex.json'), JSON.stringify(sidecar));
}

export const NOTHING: Ignored = new Set();
export const options = { command: 'annex install', ignored: undefined };

/** The lookup of a feature in this core. */
export const find = (feature: Feature, here = settings): Lookup => createLookup(here, feature);

/** Whether a remembered failure prevents an install, and which: that of the feature, or of a host. */
export function ask(
  feature: Feature,
  { env = {}, timeout = 1000, ignored = NOTHING } = {},
): string {
  const here = { ...settings, timeout };
  const found = callWith(env, () => findRemembered(find(feature, here), { ignored }));
  return found === undefined ? 'free' : (found.host ?? 'its own');
}
