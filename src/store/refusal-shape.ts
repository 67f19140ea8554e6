/** Checks a refusal that was read from a store, to which others may be able to write. */
import { isListOf, isOneOf, isShape, isText, isTime, isTrue } from '../base/shape.ts';
import type { ErrorCode } from '../types.ts';

const CODES: ErrorCode[] = [
  'ANNEX_DENIED',
  'ANNEX_CONFLICT',
  'ANNEX_OFFLINE',
  'ANNEX_INTEGRITY',
  'ANNEX_NO_SPACE',
  'ANNEX_STORE_UNUSABLE',
  'ANNEX_UNSUPPORTED_PLATFORM',
  'ANNEX_INSTALL_FAILED',
  'ANNEX_TIMEOUT',
  'ANNEX_INVALID_CONFIG',
];

const isConflict = isShape(
  { dependent: isText, dependency: isText, range: isText, kind: isText, of: isText },
  { version: isText, isFit: isTrue, isNestable: isTrue },
);
const isBlocked = isShape(
  { name: isText, spec: isText, by: isText, version: isText },
  { reason: isText },
);

/** Checks every field. */
export const isRefusal = isShape(
  { code: isOneOf(CODES), reason: isText, hint: isText },
  {
    state: isText,
    host: isText,
    retryAt: isTime,
    conflicts: isListOf(isConflict),
    blocked: isBlocked,
  },
);
