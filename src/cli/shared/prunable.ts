/** What annex prune would free now; nothing is changed. */
import { AnnexError } from '../../base/error.ts';
import type { Settings } from '../../settings/settings.ts';
import { judgeEntries } from '../../status/prune.ts';
import type { Look } from '../../store/look.ts';
import { createSurvey } from '../../store/survey.ts';
import type { Refusal } from '../../types.ts';
import { refuse, requireStore } from './command.ts';
import { formatSize } from './format.ts';
import { measureBytes } from './measure-entry.ts';
import { addUp, type Total } from './total.ts';

/** Days since an entry was published, or replaced. */
export const DAYS = 14;

/** What annex prune would do now, or why it does nothing. */
export type Prunable = { deletes: Total; retires: Total } | { refusal: Refusal };

/** Measures what annex prune, without options, would delete now, and what it would retire. */
export function findPrunable(
  settings: Settings,
  now: number,
  look: Look = createSurvey(),
): Prunable {
  try {
    const store = requireStore(settings, 'pruned');
    checkDeclaration(settings);
    const judged = judgeEntries(settings, store, { age: DAYS * 24 * 60 * 60_000, now }, look);
    const sum = (fate: string): Total =>
      addUp(
        judged
          .filter((one) => one.fate === fate)
          .map(({ entry }) => ({ bytes: measureBytes(entry) })),
      );
    return { deletes: sum('delete'), retires: sum('retire') };
  } catch (error) {
    if (error instanceof AnnexError) return { refusal: error.refusal };
    throw error;
  }
}

/** @throws AnnexError when an entry may be in use by a feature that cannot be read */
export function checkDeclaration({ core, declaration }: Settings): void {
  const path = `${core.root}/package.json`;
  if (declaration.refusals.length > 0) {
    throw refuse(`nothing was pruned: the declaration in ${path} is invalid`, 'correct that file');
  }
  if (declaration.features.size > 0) return;
  const reason = `nothing was pruned: ${path} declares no feature, so all entries would go`;
  throw refuse(reason, 'npx annex uninstall FEATURE');
}

/** @example describePrunable(prunable) // 'annex prune frees 1.2 MB at once, and 0.0 MB a day later' */
export function describePrunable(prunable: Prunable): string {
  if ('refusal' in prunable) return `annex prune frees nothing: ${prunable.refusal.reason}`;
  const { deletes, retires } = prunable;
  return `annex prune frees ${describeSize(deletes)} at once, and ${describeSize(retires)} a day later`;
}

const describeSize = ({ bytes, unmeasured }: Total): string =>
  `${unmeasured === undefined ? '' : 'at least '}${formatSize(bytes)}`;
