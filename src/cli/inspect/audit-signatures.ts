/** annex audit signatures */
import { createLookup } from '../../app/lookup.ts';
import { AnnexError } from '../../base/error.ts';
import { readLockedPart } from '../../lock/locked.ts';
import { replaceFiles } from '../../lock/replace.ts';
import {
  addFormer,
  listSigned,
  recordSignatures,
  type SignatureResult,
  type SignatureState,
} from '../../lock/signatures.ts';
import type { ProvenanceState } from '../../registry/provenance.ts';
import { refuseUnsigned } from '../../registry/signing-keys.ts';
import {
  type Command,
  readSettings,
  refuse,
  selectFeatures,
  toExitCode,
  warn,
} from '../shared/command.ts';
import { collectParts } from '../shared/left-out.ts';
import { withSignatures } from '../shared/signatures.ts';
import { composeTable } from '../shared/table.ts';
import type { Style } from '../shared/terminal.ts';

const HEAD = ['package', 'version', 'signature', 'provenance', 'why'];
const [SIGNATURE, PROVENANCE] = [HEAD.indexOf('signature'), HEAD.indexOf('provenance')];

const COLORS: Record<SignatureState | ProvenanceState, Style> = {
  verified: 'green',
  missing: 'red',
  invalid: 'red',
  'no keys': 'yellow',
  none: 'dim',
  'not verified': 'yellow',
};

/** What does not fail the command. */
const SOUND: string[] = ['verified', 'no keys', 'none'];

/** Verifies the registry's signature and the provenance of each locked package, and records them in the lock. */
export const auditSignatures: Command = async ({ args, print }) => {
  const settings = readSettings();
  const { parts, isWhole } = collectParts(selectFeatures(settings, args), (feature) =>
    readLockedPart(createLookup(settings, feature)),
  );
  if (parts.length === 0) throw refuse('there is nothing to verify', 'npx annex lock FEATURE');
  const all: SignatureResult[] = [];
  await withSignatures(settings, async (source) => {
    for (const part of parts) {
      const nodes = listSigned(part);
      const results = await Promise.all(
        nodes.map(async (node) => addFormer(part, node, await source.check(node))),
      );
      const byPath = new Map(nodes.map(({ path }, at) => [path, results[at] as SignatureResult]));
      const changed = recordSignatures(part, byPath);
      if (changed !== undefined) replaceFiles([changed]);
      all.push(...results);
    }
  });
  const signatures = sortResults(all);
  const isSigned = signatures.some(
    ({ state, provenance }) => state !== 'no keys' || provenance.state !== 'none',
  );
  if (!isSigned) {
    const registries = new Set(signatures.map(({ registry }) => registry));
    throw new AnnexError(refuseUnsigned([...registries]));
  }
  for (const line of describeUnverified(signatures)) warn(line);
  print(format(signatures), { signatures }, settings);
  const isSound = signatures
    .flatMap(({ state, provenance }) => [state, provenance.state])
    .every((state) => SOUND.includes(state));
  return toExitCode(isSound && isWhole, args, settings);
};

/** Each result once, in the order of the packages. Two locks can have other tarballs of one version. */
function sortResults(results: SignatureResult[]): SignatureResult[] {
  const byText = new Map(
    results.map((one) => [`${one.name}@${one.version} ${JSON.stringify(one)}`, one]),
  );
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** One line for each reason why provenance could not be verified. */
function describeUnverified(results: SignatureResult[]): string[] {
  const open = results.filter(({ provenance }) => provenance.state === 'not verified');
  const reasons = new Set(open.map(({ provenance }) => provenance.reason));
  return [...reasons].map((reason) => {
    const all = open.filter(({ provenance }) => provenance.reason === reason);
    const names = all.map(({ name, version }) => `${name} ${version}`).join(', ');
    return `provenance not verified: ${reason} (${names}). Now: run this command where npm audit signatures works`;
  });
}

function format(signatures: SignatureResult[]): string {
  const lines = signatures.map(({ name, version, state, reason, provenance, formerly }) => {
    const { source } = provenance;
    const why = [
      reason,
      provenance.state === 'invalid' ? provenance.reason : undefined,
      formerly && `${formerly.version} was built from ${formerly.repository}`,
    ].filter((one) => one !== undefined);
    const built = source ? `${source.repository} ${source.commit.slice(0, 7)}` : provenance.state;
    return [name, version, state, built, why.join('; ')];
  });
  return composeTable(HEAD, lines, (row, column) => {
    const result = signatures[row];
    if (result === undefined) return undefined;
    if (column === SIGNATURE) return COLORS[result.state];
    return column === PROVENANCE ? COLORS[result.provenance.state] : undefined;
  });
}
