/** Describes the difference of two locks in text. */
import { redact } from '../base/messages.ts';
import type { ChangedPackage, ComparedPackage, LockDiff, NamedPackage } from './diff.ts';

/**
 * Describes a difference: a summary, and a line for each package that differs.
 *
 * @example describeDiff(diff)[0] // 'exa-js 1.10.2 -> 1.10.3; 2 added; 1 removed; new licence: ISC'
 */
export function describeDiff(diff: LockDiff): string[] {
  const { added, removed, changed } = diff;
  if (added.length + removed.length + changed.length === 0) return ['the same packages'];
  const main = changed.filter(
    ({ isDeclared, from, to }) => isDeclared && nameVersion(from) !== nameVersion(to),
  );
  const others = changed.length - main.length;
  const summary = [
    ...(main.length === 0 ? [] : [main.map(describeVersions).join(', ')]),
    ...count('added', added.length),
    ...count('removed', removed.length),
    ...count('changed', others),
    ...list('new install script', diff.newScripts),
    ...list('new licence', diff.newLicenses),
    ...list('another source', diff.newSources),
  ].join('; ');
  const lines = [
    summary,
    ...added.map((one) => `added ${describePackage(one)}`),
    ...removed.map((one) => `removed ${describePackage(one)}`),
    ...changed.map(describeChange),
  ];
  return lines.map(redact);
}

const count = (verb: string, packages: number): string[] =>
  packages === 0 ? [] : [`${packages} ${verb}`];

const list = (label: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${label}: ${names.join(', ')}`];

const nameVersion = ({ version, isShared }: ComparedPackage): string =>
  isShared ? `core's ${version}` : version;

const describeVersions = ({ name, from, to }: ChangedPackage): string =>
  `${name} ${nameVersion(from)} -> ${nameVersion(to)}`;

const nameLicense = ({ license }: ComparedPackage): string => license ?? 'not stated';
const nameHost = ({ host }: ComparedPackage): string => host ?? 'the configured registry';

function describePackage(one: NamedPackage): string {
  const facts = one.isShared
    ? []
    : [
        `licence ${nameLicense(one)}`,
        ...(one.hasInstallScript ? ['has an install script'] : []),
        ...(one.host === null ? [] : [`from ${one.host}`]),
      ];
  return `${one.name} ${nameVersion(one)}${enclose(facts)}`;
}

function describeChange(change: ChangedPackage): string {
  const { name, from, to } = change;
  if (from.isShared !== to.isShared) {
    const what = to.isShared ? 'now shared with core' : 'no longer shared with core';
    return `changed ${describeVersions(change)} (${what})`;
  }
  const facts = [
    ...(from.license === to.license ? [] : [`licence ${nameLicense(from)} -> ${nameLicense(to)}`]),
    ...(to.hasInstallScript && !from.hasInstallScript ? ['new install script'] : []),
    ...describeSource(from, to),
    ...(from.version === to.version && from.integrity !== to.integrity ? ['another digest'] : []),
  ];
  const versions = from.version === to.version ? `${name} ${to.version}` : describeVersions(change);
  return `changed ${versions}${enclose(facts)}`;
}

function describeSource(from: ComparedPackage, to: ComparedPackage): string[] {
  if (from.host !== to.host) return [`from ${nameHost(to)} instead of ${nameHost(from)}`];
  if ((from.place === null) === (to.place === null)) return [];
  return [
    to.place === null
      ? 'no longer at a recorded place: check its registry in .npmrc'
      : 'now at a recorded place',
  ];
}

const enclose = (facts: string[]): string => (facts.length === 0 ? '' : ` (${facts.join(', ')})`);
