/** The details of a feature in a report: facts, and a table of its packages. */
import { code, commas, type Html, html, type Value } from './html.ts';
import type { Report, ReportedFeature, ReportedPackage } from './model.ts';
import { composeTable } from './table.ts';
import { countTexts, describeState, describeWhere, formatBytes } from './text.ts';

/** Hex digits of a digest that are shown. */
const DIGITS = 12;
/** Characters of a day in ISO 8601. */
const DAY = 10;

/** A feature that opens: closed ones are read by their names and states. */
export function composeDetails(one: ReportedFeature, index: number, report: Report): Html {
  const { feature, closure, shared } = one;
  const { kind, sign, text } = describeState(one);
  return html`<details>
<summary><i class="sign ${kind}" aria-hidden="true">${sign}</i> <h3>${code(feature)}</h3> <span class="state ${kind}">${text}</span></summary>
<div class="body" id="feature-${index + 1}">
${composeReason(one)}
<dl>${composeFacts(one).map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>
${closure.length + shared.length === 0 ? '' : composePackages(one, index, report)}
</div>
</details>`;
}

function composeReason(one: ReportedFeature): Html | undefined {
  if (one.refusal === undefined) return undefined;
  const { code: error, reason, hint } = one.refusal;
  return html`<p class="reason ${describeState(one).kind}"><strong>${error}</strong> ${reason}. Now: ${hint}.</p>`;
}

function composeFacts(one: ReportedFeature): [term: string, value: Value][] {
  const { packages, closure, bytes, published, scripts, dir, damaged } = one;
  const licenses = countTexts(closure.map(({ license }) => license ?? 'not stated'));
  const tarballs = closure.reduce((sum, { tarball = 0 }) => sum + tarball, 0);
  const signed = closure.filter(({ isSigned }) => isSigned).length;
  const blocked = closure.filter((each) => each.blocked !== undefined);
  const facts: [string, Value | false][] = [
    ...Object.entries(packages).map(([name, each]): [string, Value] => {
      const { range, locked = 'no', version, where } = each;
      const use = version === undefined ? '' : `, in use: ${version} (${describeWhere(where)})`;
      return [name, `declared: ${range}, locked: ${locked}${use}`];
    }),
    ['Lock', describeLock(one)],
    ['Entry', dir !== undefined && code(dir)],
    ['Verified', dir !== undefined && describeVerification(one)],
    ['Installed', published?.slice(0, DAY) ?? false],
    ['Size', bytes !== undefined && formatBytes(bytes)],
    ['Tarballs', tarballs > 0 && `${formatBytes(tarballs)} to download`],
    [
      'Install scripts',
      scripts.length === 0 ? 'none allowed' : ['allowed: ', commas(scripts.map(code))],
    ],
    [
      'Licences',
      closure.length > 0 && licenses.map(([name, count]) => `${name} (${count})`).join(', '),
    ],
    ['Signatures', signed > 0 && `in the lock for ${signed} of ${closure.length} packages`],
    ['Damaged', damaged.length > 0 && damaged.join('; ')],
    [
      'Blocked',
      blocked.length > 0 && commas(blocked.map(({ name, version }) => code(`${name} ${version}`))),
    ],
  ];
  return facts.filter((fact): fact is [string, Value] => fact[1] !== false);
}

function describeLock({ pin, lock }: ReportedFeature): Value {
  if (pin === undefined) return 'none';
  const date = lock === undefined ? '' : `of ${lock.date.slice(0, DAY)}, `;
  const digest = code(`sha256 ${pin.digest.slice(0, DIGITS)}…`);
  return html`${date}for ${pin.platforms.join(', ')}; package-lock.json ${digest}`;
}

const describeVerification = ({ verified, isUnhashed }: ReportedFeature): string =>
  verified === undefined
    ? `no: ${isUnhashed ? 'the entry is in a layer as trusted as core' : 'verification is off'}`
    : `as at its first use, with ${verified === 'lock' ? 'the digests of the lock' : 'its own listing'}`;

function composePackages(
  { feature, closure, shared }: ReportedFeature,
  index: number,
  report: Report,
): Html {
  const versions = new Map(report.shared.map(({ name, version }) => [name, version]));
  const title = `Packages of ${feature}: ${closure.length} of its own, ${shared.length} of core`;
  return composeTable(
    `packages-${index + 1}`,
    title,
    ['Package', 'Version', 'From', 'Licence', 'Tarball', 'Notes'],
    [
      ...shared.map(({ name, ranges }) => [
        code(name),
        versions.get(name),
        'core',
        '',
        '',
        ranges.length === 0 ? '' : `needs ${ranges.join(' and ')}`,
      ]),
      ...closure.map((each) => [
        code(each.name),
        each.version,
        'annex',
        each.license,
        each.tarball === undefined ? '' : formatBytes(each.tarball),
        listNotes(each).join('; '),
      ]),
    ],
  );
}

function listNotes(each: ReportedPackage): string[] {
  const { path, name, script, beside, blocked, provenance, formerly } = each;
  const isNested = path !== `node_modules/${name}`;
  return [
    ...(isNested ? [path] : []),
    ...(beside === undefined ? [] : [`core has ${beside}`]),
    ...(script === undefined ? [] : [`install script ${script}`]),
    ...(blocked === undefined ? [] : [`blocked: ${blocked}`]),
    ...(provenance === undefined
      ? []
      : [`built from ${provenance.repository} ${provenance.commit.slice(0, DIGITS)}`]),
    ...(formerly === undefined
      ? []
      : [`${formerly.version} was built from ${formerly.repository}`]),
  ];
}
