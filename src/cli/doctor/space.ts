/** The check of `annex doctor` of the free space, and what makes room on a full volume. */
import { planLocked } from '../../app/locked-plan.ts';
import { selectForPlatform } from '../../app/unfit.ts';
import { readAbi } from '../../base/abi.ts';
import { platformOf } from '../../base/platform.ts';
import type { Settings } from '../../settings/settings.ts';
import { nameCommand } from '../../status/refusals.ts';
import type { Examined } from '../shared/examine.ts';
import { type Finding, ok, problem, warning } from '../shared/findings.ts';
import { formatSize, plural } from '../shared/format.ts';
import { findPrunable } from '../shared/prunable.ts';
import { formatTotal, type Total } from '../shared/total.ts';
import { measureSpace } from '../shared/volume.ts';

/** The remedy for a full volume. It names annex prune only if that removes something. */
export function nameRoom(settings: Settings): string {
  const prunable = findPrunable(settings, Date.now());
  const parts =
    'refusal' in prunable
      ? []
      : [
          ...describeTotal(prunable.deletes, 'now'),
          ...describeTotal(prunable.retires, 'a day later'),
        ];
  if (parts.length === 0) return 'enlarge that volume';
  const command = nameCommand(settings, 'prune');
  return `${command}, which removes ${parts.join(' and ')}, or enlarge that volume`;
}

const describeTotal = (total: Total, when: string): string[] =>
  total.entries === 0 ? [] : [`${plural(total.entries, 'entry')} (${formatTotal(total)}) ${when}`];

/** Bytes on disk for one byte of a tarball, about: it is compressed. */
const EXPANSION = 5;

/** Compares the free space with what the locks of the features that are not installed need. */
export function checkSpace(examined: Examined, dir: string): Finding[] {
  const free = measureSpace(dir);
  if (free === undefined) return [];
  const tarballs = sumTarballs(examined);
  const needed = tarballs * EXPANSION;
  const id = 'store.space';
  if (free.files === 0) {
    return [problem(id, 'its volume can hold no more files', nameRoom(examined.settings))];
  }
  const is = `${formatSize(free.bytes)} free`;
  if (free.bytes >= needed) {
    return [
      ok(
        id,
        needed === 0 ? is : `${is}; what is locked and missing needs about ${formatSize(needed)}`,
      ),
    ];
  }
  const text = `${is}, and what is locked and missing needs about ${formatSize(needed)}`;
  const remedy = nameRoom(examined.settings);
  return [free.bytes < tarballs ? problem(id, text, remedy) : warning(id, text, remedy)];
}

function sumTarballs({ features }: Examined): number {
  const platform = platformOf(readAbi());
  return features
    .filter(({ status }) => status.where === 'missing')
    .flatMap(({ lookup }) => {
      const { pin } = lookup.readLock();
      if (pin === undefined) return [];
      const { nodes } = selectForPlatform(planLocked(lookup, pin), platform);
      return nodes.map(({ path }) => pin.sidecar.packages[path]?.size ?? 0);
    })
    .reduce((sum, size) => sum + size, 0);
}
