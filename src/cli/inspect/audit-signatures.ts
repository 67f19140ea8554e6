/** annex audit signatures */
import { createLookup } from '../../app/lookup.ts';
import { AnnexError } from '../../base/error.ts';
import { refuseByTime } from '../../install/install.ts';
import { readLockedPart } from '../../lock/locked.ts';
import { replaceFiles } from '../../lock/replace.ts';
import {
  listSigned,
  openSignatures,
  recordSignatures,
  type SignatureResult,
  type SignatureState,
} from '../../lock/signatures.ts';
import { readNpmSettings } from '../../registry/npm-settings.ts';
import { refuseUnsigned } from '../../registry/signing-keys.ts';
import { readInstallerEnv } from '../../settings/environment.ts';
import {
  type Command,
  readSettings,
  refuse,
  selectFeatures,
  toExitCode,
} from '../shared/command.ts';
import { collectParts } from '../shared/left-out.ts';
import { composeTable } from '../shared/table.ts';
import type { Style } from '../shared/terminal.ts';

const HEAD = ['package', 'version', 'signature', 'why'];
const STATE = HEAD.indexOf('signature');

const COLORS: Record<SignatureState, Style> = {
  verified: 'green',
  missing: 'red',
  invalid: 'red',
  'no keys': 'yellow',
};

/** Verifies the registry's signature of each locked package, and records it in the lock. */
export const auditSignatures: Command = async ({ args, print }) => {
  const settings = readSettings();
  const npm = readNpmSettings(settings.core.root, readInstallerEnv(settings));
  if (npm.offline) {
    const reason = 'npm is set to offline, and only the registry has keys and signatures';
    throw refuse(reason, 'remove that setting', 'ANNEX_OFFLINE');
  }
  const { parts, isWhole } = collectParts(selectFeatures(settings, args), (feature) =>
    readLockedPart(createLookup(settings, feature)),
  );
  if (parts.length === 0) throw refuse('there is nothing to verify', 'annex lock FEATURE');
  const signal = AbortSignal.timeout(settings.timeout);
  const source = openSignatures(npm, signal);
  const all: SignatureResult[] = [];
  try {
    for (const part of parts) {
      const nodes = listSigned(part);
      const results = await Promise.all(nodes.map(source.check));
      const byPath = new Map(nodes.map(({ path }, at) => [path, results[at] as SignatureResult]));
      const changed = recordSignatures(part, byPath);
      if (changed !== undefined) replaceFiles([changed]);
      all.push(...results);
    }
  } catch (error) {
    throw signal.aborted ? new AnnexError(refuseByTime(settings)) : error;
  } finally {
    source.close();
  }
  const signatures = sortResults(all);
  const isSigned = signatures.some(({ state }) => state !== 'no keys');
  if (!isSigned) {
    const registries = new Set(signatures.map(({ registry }) => registry));
    throw new AnnexError(refuseUnsigned([...registries]));
  }
  print(format(signatures), { signatures }, settings);
  const isSound = signatures.every(({ state }) => state === 'verified' || state === 'no keys');
  return toExitCode(isSound && isWhole, args, settings);
};

/** Each package once, in the order of their names. */
function sortResults(results: SignatureResult[]): SignatureResult[] {
  const byName = new Map(results.map((one) => [`${one.name}@${one.version}`, one]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function format(signatures: SignatureResult[]): string {
  const lines = signatures.map(({ name, version, state, reason = '' }) => [
    name,
    version,
    state,
    reason,
  ]);
  return composeTable(HEAD, lines, (row, column) => {
    const state = signatures[row]?.state;
    return column === STATE && state !== undefined ? COLORS[state] : undefined;
  });
}
