/** annex licenses */
import { createLookup } from '../../app/lookup.ts';
import { compareVersions } from '../../base/semver.ts';
import { isText } from '../../base/shape.ts';
import { readLockedPart } from '../../lock/locked.ts';
import { type Command, readSettings, selectFeatures, toExitCode } from '../shared/command.ts';
import { collectParts } from '../shared/left-out.ts';
import { composeTable } from '../shared/table.ts';

/** Packages with the same licence. */
interface LicenseRow {
  /** Null for packages that name none. */
  license: string | null;
  packages: { name: string; version: string; features: string[] }[];
}

const HEAD = ['licence', 'count', 'packages'];

/** Lists the licences of all locked packages, the most frequent first, and packages without one last. */
export const licenses: Command = ({ args, print }) => {
  const settings = readSettings();
  const { parts, isWhole } = collectParts(selectFeatures(settings, args), (feature) => {
    const locked = readLockedPart(createLookup(settings, feature));
    return 'isExpected' in locked ? locked : { feature: feature.name, ...locked };
  });
  const byLicense = new Map<string | null, Map<string, LicenseRow['packages'][number]>>();
  for (const { feature, nodes, packages } of parts) {
    for (const { path, name, version } of nodes) {
      const { license } = (packages[path] ?? {}) as { license?: string };
      const key = isText(license) ? (license ?? null) : null;
      const known = byLicense.get(key) ?? new Map();
      byLicense.set(key, known);
      const one = known.get(`${name}@${version}`) ?? { name, version, features: [] };
      known.set(`${name}@${version}`, one);
      if (!one.features.includes(feature)) one.features.push(feature);
    }
  }
  const rows = [...byLicense].map(([license, known]) => ({ license, packages: sort(known) }));
  rows.sort(compareRows);
  print(format(rows), { licenses: rows }, settings);
  return toExitCode(isWhole, args, settings);
};

const sort = (known: ReadonlyMap<string, LicenseRow['packages'][number]>): LicenseRow['packages'] =>
  [...known.values()].sort(
    (a, b) => compare(a.name, b.name) || compareVersions(a.version, b.version),
  );

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const compareRows = (a: LicenseRow, b: LicenseRow): number =>
  Number(a.license === null) - Number(b.license === null) ||
  b.packages.length - a.packages.length ||
  compare(a.license ?? '', b.license ?? '');

/** Characters of a licence in the table; a package can state a whole text. */
const MAX_SHOWN = 100;

const shorten = (license: string): string =>
  license.length > MAX_SHOWN ? `${license.slice(0, MAX_SHOWN)}…` : license;

function format(rows: LicenseRow[]): string {
  if (rows.length === 0) return '';
  const lines = rows.map(({ license, packages }) => [
    shorten(license ?? 'unknown'),
    String(packages.length),
    packages.map(({ name, version }) => `${name} ${version}`).join(', '),
  ]);
  return composeTable(HEAD, lines, (row, column) =>
    column === 0 && rows[row]?.license === null ? 'yellow' : undefined,
  );
}
