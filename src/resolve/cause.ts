/** Composes why a declared package is unavailable, as the cause of Node's error. */
import { AnnexError } from '../base/error.ts';
import { isWithin, relativeTo } from '../base/store-layout.ts';
import type { Settings } from '../settings/settings.ts';
import { explainAbsence, fitRefusal, nameCommand } from '../status/refusals.ts';
import type { Refusal } from '../types.ts';
import type { Subject } from './facts.ts';
import type { Request } from './request.ts';

/** Composes the cause of Node's not-found error. */
export function composeCause(
  { found = { rejected: [], damaged: [] }, locator, refusal, request }: Subject,
  feature: string,
): AnnexError {
  const { specifier, parent } = request;
  const { settings } = locator.thread;
  const asker = parent && relativeTo(settings.core.root, parent);
  const fallback: Refusal = {
    code: 'ANNEX_INSTALL_FAILED',
    reason: `no valid entry is in the store: ${found.rejected.join('; ') || 'it is empty'}`,
    hint: nameCommand(settings, `why ${specifier}`),
  };
  const why = explainAbsence(found, refusal ?? fallback) ?? fallback;
  return new AnnexError(fitRefusal(why, settings), { feature, specifier, asker });
}

/** The refusal when the program itself, or a file that a bundler put beside it, is outside the application. */
export function findStrayRefusal(
  { core, strayDir }: Settings,
  { parent }: Request,
): Refusal | undefined {
  if (parent === undefined || strayDir === undefined || !isWithin(parent, strayDir))
    return undefined;
  return {
    code: 'ANNEX_DENIED',
    reason: `the program lies outside of the application ${core.root}, and only the application and its importers get features`,
    hint: `put the program below ${core.root}, set ANNEX_CORE to a directory above it, or list ${strayDir} under annex.importers`,
  };
}
