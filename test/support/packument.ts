/** Writes packuments, the documents in which a registry describes a package, in their full and abbreviated forms. */
import semver from 'semver';
import { type PackageFixture, type PackedFixture, readManifest } from './package.ts';
import type { Registry } from './registry-types.ts';
import { SLSA } from './sigstore.ts';

/** The full form. https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
export interface Packument {
  name: string;
  'dist-tags': Record<string, string>;
  versions: Record<string, Record<string, unknown>>;
  time: Record<string, string>;
}

/** Fields of a version in the abbreviated form. */
const abbreviatedKeys = new Set([
  'name',
  'version',
  'deprecated',
  'dependencies',
  'optionalDependencies',
  'devDependencies',
  'bundleDependencies',
  'bundledDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'bin',
  'directories',
  'dist',
  'engines',
  'os',
  'cpu',
  'libc',
  'hasInstallScript',
]);

const longAgo = '2020-01-01T00:00:00.000Z';

/** What a registry signs. */
type Attested = Partial<Pick<Registry, 'signer' | 'attest'>>;

function writeVersion(
  files: string,
  { pkg, packed }: { pkg: PackageFixture; packed: PackedFixture },
  { signer, attest }: Attested,
) {
  const manifest = readManifest(pkg);
  const { name, version } = pkg;
  const scripts = Object.keys((manifest.scripts as object | undefined) ?? {});
  const hasInstallScript = scripts.some((script) => /^(pre|post)?install$/.test(script));
  const base = name.split('/').at(-1);
  const id = `${name}@${version}`;
  return {
    ...manifest,
    _id: id,
    ...(hasInstallScript && { hasInstallScript }),
    dist: {
      tarball: `${files}/${name}/-/${base}-${version}.tgz`,
      shasum: packed.shasum,
      integrity: packed.integrity,
      ...(signer && { signatures: signer.sign(id, packed.integrity) }),
      ...(attest?.(id, packed.integrity) && {
        attestations: {
          url: `https://registry.invalid/-/npm/v1/attestations/${id}`,
          provenance: { predicateType: SLSA },
        },
      }),
    },
  };
}

/**
 * The full packument of one package; `latest` is its highest version that is no prerelease, if there is one.
 * @param files URL of the tarballs, without a trailing slash: by convention that of the registry
 */
export function writePackument(
  name: string,
  files: string,
  published: readonly { pkg: PackageFixture; packed: PackedFixture }[],
  attested: Attested = {},
): Packument {
  const sorted = [...published].sort((a, b) => semver.compare(a.pkg.version, b.pkg.version));
  const all = sorted.map(({ pkg }) => pkg.version);
  const latest = all.findLast((version) => !semver.prerelease(version)) ?? all.at(-1) ?? '';
  const times = sorted.map(({ pkg }) => [pkg.version, pkg.published ?? longAgo] as const);
  const ordered = times.map(([, time]) => time).sort();
  return {
    name,
    'dist-tags': { latest },
    versions: Object.fromEntries(
      sorted.map((one) => [one.pkg.version, writeVersion(files, one, attested)]),
    ),
    time: {
      created: ordered.at(0) ?? longAgo,
      modified: ordered.at(-1) ?? longAgo,
      ...Object.fromEntries(times),
    },
  };
}

/** The form that npm requests when it installs: no times, and only the fields that an install needs. */
export function abbreviatePackument(packument: Packument): Record<string, unknown> {
  const { name, versions, time } = packument;
  const shorten = (version: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(version).filter(([key]) => abbreviatedKeys.has(key)));
  return {
    name,
    'dist-tags': packument['dist-tags'],
    modified: time.modified,
    versions: Object.fromEntries(
      Object.entries(versions).map(([version, body]) => [version, shorten(body)]),
    ),
  };
}
