/** Lists the copies of a declared package, for `annex why`: the one that answers, and why the others do not. */
import { join, relative } from 'node:path';
import { findCorePackage } from '../../app/core.ts';
import { isShipped } from '../../app/inventory.ts';
import { toRealPath } from '../../base/paths.ts';
import { satisfies } from '../../base/semver.ts';
import { ownOf } from '../../base/shape.ts';
import { isWithin } from '../../base/store-layout.ts';
import { codeOf } from '../../base/thrown.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Core, Settings } from '../../settings/settings.ts';
import { type HeldEntry, listHeld } from '../../status/held.ts';
import { listStores } from '../../store/access.ts';
import { isContained } from '../../store/directory.ts';
import type { Known } from '../../store/entry.ts';
import type { Look } from '../../store/look.ts';
import { listVersions } from '../../store/manifest.ts';
import { NOT_HASHED } from '../shared/format.ts';

/** A copy of the package, as `--json` prints it. */
export interface Copy {
  where: 'core' | 'store' | 'layer';
  /** Directory of the package in core; of the entry in a store or a layer. */
  dir: string;
  /** Undefined when it cannot be read. */
  version?: string;
  isUsed: boolean;
  /** One clause; undefined for a copy that is used and has nothing peculiar. */
  why?: string;
}

/** A request for a declared package, and its answer. */
export interface Answered {
  name: string;
  feature: Feature;
  settings: Settings;
  rule: number;
  /** The file that answers. */
  file: string | undefined;
  /** Entries that were found damaged. */
  damages: Known['damages'];
  /** Whether no file of an entry is hashed, given its real path. */
  isUnhashed: (dir: string) => boolean;
  look: Look;
}

/** Lists the copy that is used, core's, and then entries in the order of the stores. */
export function listCopies(answered: Answered): Copy[] {
  const { name, feature, settings, file, damages, isUnhashed, look } = answered;
  const used = file === undefined ? '' : toRealPath(file);
  const roots = new Map(listStores(settings).map((store) => [store, toRealPath(store)]));
  const held = tryListHeld(settings, feature, { damages, look }).map((one): Copy => {
    const { dir, manifest } = one.stored;
    const version = manifest && ownOf(listVersions(manifest, feature), name);
    const real = join(roots.get(one.store) ?? '', relative(one.store, dir));
    const isUsed = isWithin(used, real);
    const trait = isUsed && isUnhashed(real) ? NOT_HASHED : undefined;
    const why = isUsed ? trait : explainLoss(one, answered);
    return {
      where: one.isLayer ? 'layer' : 'store',
      dir,
      ...(version !== undefined && { version }),
      isUsed,
      ...(why !== undefined && { why }),
    };
  });
  const all = [...listCoreCopy(answered), ...held];
  return [...all.filter(({ isUsed }) => isUsed), ...all.filter(({ isUsed }) => !isUsed)];
}

/** None where a store cannot be read, which is then why the request fails. */
function tryListHeld(...wanted: Parameters<typeof listHeld>): HeldEntry[] {
  try {
    return listHeld(...wanted);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return [];
  }
}

function listCoreCopy({ name, feature, settings: { core }, file }: Answered): Copy[] {
  const found = findCorePackage(name, core.root);
  if (found === undefined) return [];
  const { dir, version } = found;
  const isUsed = isContained(file, toRealPath(dir));
  const traits = [
    ...describeRange(version, feature.packages[name] ?? '*'),
    ...describeOrigin(core, name),
    ...(isUsed ? [] : ['it does not answer this request']),
  ];
  return [
    {
      where: 'core',
      dir,
      ...(version !== undefined && { version }),
      isUsed,
      ...(traits.length > 0 && { why: traits.join('; ') }),
    },
  ];
}

const describeRange = (version: string | undefined, range: string): string[] =>
  version !== undefined && satisfies(version, range) ? [] : [`outside ${range}`];

const describeOrigin = (core: Core, name: string): string[] =>
  isShipped(core, name) ? [] : ['core does not ship it'];

/** Why an entry does not answer. */
function explainLoss({ state, why, until }: HeldEntry, { rule, name }: Answered): string {
  if (until !== undefined) return `it was retired: ${why}`;
  if (state === 'replaced') return LOSSES[rule] ?? why ?? 'another entry is chosen before it';
  return why ?? LOSSES[rule] ?? `it has no such file of ${name}`;
}

/** Why a valid entry does not answer, by the rule. */
const LOSSES: Record<number, string> = {
  2: 'a file in an entry sees no other entry',
  4: 'what Node finds wins',
  5: "core's copy wins",
  6: 'the importing file gets no entries',
};
