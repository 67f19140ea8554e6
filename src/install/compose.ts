/** Composes the two files that describe an entry: its listing and its manifest. */
import { readAbi } from '../base/abi.ts';
import { AnnexError } from '../base/error.ts';
import { version } from '../base/own-files.ts';
import { platformOf } from '../base/platform.ts';
import { FILES, FORMAT, MANIFEST, PLAIN } from '../base/store-layout.ts';
import { describePackage, listClosure } from '../plan/identity.ts';
import { isPlatformBound } from '../plan/platform.ts';
import { refuseInstall } from '../registry/failure.ts';
import type { Feature } from '../settings/feature.ts';
import { MAX_GENERATED, MAX_LISTING } from '../store/contents.ts';
import { composeFiles } from '../store/listing.ts';
import { MAX_MANIFEST, type Manifest } from '../store/manifest.ts';
import type { Closure } from './closure.ts';
import type { Generated } from './generated.ts';

/**
 * Composes the manifest. An entry is plain, which every ABI can use, unless a package of it is bound
 * to some platforms, has an addon, ran a script, or was skipped because of this Node.
 */
export function composeManifest(
  { plan, nodes, fetched }: Closure,
  feature: Feature,
  scripts: string[],
): Manifest {
  const paths = new Set(nodes.map(({ path }) => path));
  const all = listClosure(plan, platformOf(readAbi()));
  const skipped = all.filter(({ path }) => !paths.has(path));
  const hasAddon = Object.values(fetched.listings).some((listing) => /\.node$/m.test(listing));
  const isBound = isPlatformBound(plan) || hasAddon;
  const isPlain = !isBound && scripts.length === 0 && skipped.length === 0;
  return {
    format: FORMAT,
    feature: feature.name,
    specs: feature.packages,
    closure: nodes.map(describePackage),
    ...(skipped.length > 0 && { skipped }),
    shared: plan.shared,
    private: plan.private,
    scripts,
    abi: isPlain ? PLAIN : readAbi(),
    tool: `annex@${version}`,
  };
}

/**
 * The text of both files, the manifest last: a directory without it is no entry.
 *
 * @throws AnnexError for a file that is too large to be read again
 */
export function composeEntryFiles(
  manifest: Manifest,
  { fetched }: Closure,
  generated: Generated,
): [name: string, text: string][] {
  const listing = composeFiles(fetched.listings, generated);
  const text = JSON.stringify(manifest);
  requireSize(`its ${FILES}`, listing, MAX_LISTING);
  requireSize(`its ${MANIFEST}`, text, MAX_MANIFEST);
  requireSize('the list of what scripts made', composeFiles({}, generated), MAX_GENERATED);
  return [
    [FILES, listing],
    [MANIFEST, text],
  ];
}

function requireSize(what: string, text: string, max: number): void {
  const size = Buffer.byteLength(text);
  if (size <= max) return;
  const reason = `${what} takes ${size} bytes, more than an entry may have`;
  const hint = 'use another version of the package, or declare its packages in several features';
  throw new AnnexError({ ...refuseInstall(reason), hint });
}
