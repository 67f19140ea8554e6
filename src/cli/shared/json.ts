/** Composes what commands print with `--json`: docs/json.md and docs/cli.schema.json describe it. */
import { AnnexError } from '../../base/error.ts';
import { redact } from '../../base/messages.ts';
import { codeOf, messageOf } from '../../base/thrown.ts';
import type { Refusal } from '../../types.ts';
import type { Place } from './command.ts';

/** Version of the format of all outputs. A new field does not change it. */
const VERSION = 1;

/**
 * The output of a command, without credentials.
 *
 * @example composeOutput('list', settings, { features: [] })
 */
export const composeOutput = (
  command: string | undefined,
  place: Place | undefined,
  data: Record<string, unknown>,
): string =>
  JSON.stringify(
    {
      version: VERSION,
      command: command ?? null,
      application: place?.core.root ?? null,
      store: place?.store ?? null,
      ...data,
    },
    (_, value: unknown) => (typeof value === 'string' ? redact(value) : value),
  );

/** Why a command failed: a refusal, with the feature that it is about. Other errors have a code of their own. */
export type JsonError = Omit<Refusal, 'code'> & { code: string; feature?: string };

/** The error in the output of a command that failed. */
export function describeError(error: unknown): JsonError {
  if (!(error instanceof AnnexError)) {
    const code = codeOf(error) ?? 'ANNEX_UNEXPECTED';
    return { code, reason: messageOf(error), hint: 'correct what the reason names' };
  }
  const { feature, refusal } = error;
  return { ...(feature !== '' && { feature }), ...refusal };
}
