/** Composes refusals and tables for dependencies that conflict. */
import { formatTable } from '../base/layout.ts';
import type { Conflict, Refusal } from '../types.ts';

/** One edge as a clause: `openai 5.23.2 wants zod ^3.25.0 (peer), and core ships 3.22.0`. */
function describeConflict(conflict: Conflict): string {
  const { dependent, dependency, range, kind, of, version = 'none that fits', isFit } = conflict;
  const how = kind === 'peer' || kind === 'optional peer' ? ` (${kind})` : '';
  const whose = of === 'core' ? 'core ships' : 'the feature contains';
  const but = isFit === true ? ', which this feature cannot share' : '';
  return `${dependent} wants ${dependency} ${range}${how}, and ${whose} ${version}${but}`;
}

/**
 * The refusal of a plan, with all of its conflicts.
 *
 * @param isLocked whether a lock was made for another core than this one
 */
export function refuseConflicts(conflicts: Conflict[], isLocked: boolean): Refusal {
  const unfit = conflicts.filter(({ of, isFit }) => of === 'core' && isFit !== true);
  const names = [...new Set(unfit.map(({ dependency }) => dependency))];
  const isNestable = conflicts.every((conflict) => conflict.isNestable === true);
  const remedies = [
    names.length > 0 && `change ${names.join(', ')} of the core to a version that fits`,
    !isLocked && isNestable && 'declare "conflicts": "nest" for private copies',
    isLocked && 'lock again: npx annex lock',
    !isLocked && names.length === 0 && 'declare another range',
  ].filter((remedy) => remedy !== false);
  return {
    code: 'ANNEX_CONFLICT',
    reason: conflicts.map(describeConflict).join('; '),
    hint: remedies.join(', or '),
    conflicts,
  };
}

/**
 * The conflicts as a table.
 *
 * @param width columns of the terminal
 */
export function tabulateConflicts(conflicts: Conflict[], width?: number): string {
  const rows = [
    ['dependent', 'dependency', 'range', 'kind', 'found'],
    ...conflicts.map(({ dependent, dependency, range, kind, of, version = 'none' }) => [
      dependent,
      dependency,
      range,
      kind,
      of === 'core' ? `core ${version}` : version,
    ]),
  ];
  return formatTable(rows, { width });
}
