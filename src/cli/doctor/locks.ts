/** The checks of `annex doctor` of the locks: those of `annex lock --check`, and this platform. */
import { pinnedId } from '../../app/pin.ts';
import { readAbi } from '../../base/abi.ts';
import { platformOf } from '../../base/platform.ts';
import { checkLock, describeLeftovers, listStrayLocks } from '../../lock/check.ts';
import type { Examined } from '../shared/examine.ts';
import { type Finding, ok, problem, warning } from '../shared/findings.ts';
import { plural } from '../shared/format.ts';

/** Whether the locks match the declaration and what the application ships. */
export function checkLocks({ settings, features }: Examined): Finding[] {
  const platform = platformOf(readAbi());
  const valid = features.filter(({ lookup }) => lookup.feature.refusal === undefined);
  const locked = valid.filter(({ lookup }) => lookup.readLock().isLocked);
  const unlocked = valid.filter((one) => !locked.includes(one)).map(({ status }) => status.feature);
  const stale = locked.flatMap(({ lookup, status }) =>
    checkLock(lookup).map(({ what, remedy }) =>
      problem('locks.fresh', `${status.feature}: ${what}`, remedy),
    ),
  );
  const uncovered = locked.flatMap(({ lookup, status }) => {
    const { pin } = lookup.readLock();
    if (pin === undefined || pinnedId(pin.sidecar, platform) !== undefined) return [];
    const text = `${status.feature}: is locked for ${pin.sidecar.platforms.join(', ')}, and this is ${platform}`;
    return problem('locks.platform', text, `add ${platform} to annex.platforms and lock again`);
  });
  const leftovers = describeLeftovers(listStrayLocks(settings), settings.core.root).map((text) =>
    warning('locks.leftover', text, 'npx annex lock'),
  );
  const isSound = locked.length > 0 && stale.length === 0 && uncovered.length === 0;
  return [
    ...(isSound
      ? [ok('locks.fresh', `${plural(locked.length, 'lock')} up to date, and for ${platform}`)]
      : []),
    ...stale,
    ...uncovered,
    ...(unlocked.length === 0 ? [] : [warnOfUnlocked(unlocked)]),
    ...leftovers,
  ];
}

const warnOfUnlocked = (names: string[]): Finding =>
  warning(
    'locks.missing',
    `not locked, so npm decides what is installed: ${names.join(', ')}`,
    'npx annex lock',
  );
