/** One package, a registry that serves it, and a fetcher with the settings of an .npmrc. */
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { AnnexError } from '../../src/base/error.ts';
import { createFetcher, type Fetcher, type Wanted } from '../../src/registry/fetch.ts';
import { readNpmSettings } from '../../src/registry/npm-settings.ts';
import type { Refusal } from '../../src/types.ts';
import { esmPackage } from './fixtures.ts';
import { packFixture } from './package.ts';
import { type Registry, type RegistryOptions, startRegistry } from './registry.ts';
import { removeTree } from './tree.ts';

export const alpha = esmPackage('alpha', '1.0.0', 'alpha');
export const beta = esmPackage('@acme/beta', '2.0.0', 'beta');
export const { tarball, integrity } = packFixture(alpha);
/** alpha as a lock records it. */
export const wanted: Wanted = { name: 'alpha', version: '1.0.0', integrity };
/** Must not be in any message. */
export const SECRET = 's3cr3t-t0ken';

/** Starts a registry with alpha and beta for the running test. */
export async function openRegistry(options?: RegistryOptions): Promise<Registry> {
  return await startRegistry([alpha, beta], options);
}

/** A fetcher and the source of its settings. */
export interface FetchWorld {
  fetcher: Fetcher;
  home: string;
  abort: AbortController;
}

/** A core with this .npmrc for that registry, without delays between tries. */
export function openFetcher(
  registry: Registry,
  npmrc = '',
  env: Record<string, string> = {},
): FetchWorld {
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'annex-fetch-'));
  onTestFinished(() => removeTree(home));
  const lines = [`registry=${registry.url}`, 'fetch-retry-mintimeout=1', npmrc];
  writeFileSync(join(home, '.npmrc'), lines.join('\n'));
  const abort = new AbortController();
  const settings = readNpmSettings(home, { HOME: home, ...env });
  const fetcher = createFetcher(settings, abort.signal, home);
  onTestFinished(() => fetcher.close());
  return { fetcher, home, abort };
}

/** The refusal of a tarball. Fails if it is fetched, or if a message contains the secret. */
export async function refuseFetch(fetcher: Fetcher, what: Wanted = wanted): Promise<Refusal> {
  const error = await fetcher.fetchTarball(what).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AnnexError)) throw new Error('it was not refused', { cause: error });
  const { refusal } = error;
  expect(`${JSON.stringify(refusal)} ${error.stack}`).not.toContain(SECRET);
  return refusal;
}

/** Host and port of a registry. */
export const hostOf = ({ url }: Registry): string => new URL(url).host;
