/** Whether installs are allowed here: every switch can only restrict. */
import type { Refusal } from '../types.ts';

/** Whether installs are allowed, and if not, why. */
export type Gate = { isAllowed: true } | { isAllowed: false; refusal: Refusal };

/** All that the gate looks at. */
export interface GateFacts {
  /** `allowInstalls` in the core's package.json. */
  core: boolean | undefined;
  /** Something that its package.json blocks and does not name: `annex.blocked[0] in ...`. */
  unclear?: string | undefined;
  /** The operator's file, when one is named. */
  operator?: { path: string; allowInstalls: boolean | undefined; problem?: string };
  /** ANNEX_ALLOW_INSTALLS. */
  environment: boolean | undefined;
  isSealed: boolean;
  /** Whether ANNEX_STORE is set. */
  hasStore: boolean;
  /** Why the directory that installs would go to cannot be one; undefined when it can. */
  storeProblem?: string | undefined;
  /** Node's permission model keeps this process from starting others. */
  isConfined?: boolean;
}

/**
 * The gate, first match: a switch that is off, a list of what is blocked or an operator's file that
 * cannot be read, sealed without a store, a store that cannot be one, a process that may start no other. Otherwise installs
 * are allowed.
 */
export function decideGate(facts: GateFacts): Gate {
  const { core, unclear, operator, environment, isSealed, hasStore, storeProblem, isConfined } =
    facts;
  if (core === false) {
    return deny('the core allows no installs', {
      hint: 'set annex.allowInstalls to true in its package.json',
    });
  }
  if (unclear !== undefined) {
    return deny(`the list of blocked versions is invalid: ${unclear}`, {
      hint: 'correct that key',
    });
  }
  if (operator?.problem !== undefined) {
    return deny(`the operator's file ${operator.path} ${operator.problem}`, {
      code: 'ANNEX_INVALID_CONFIG',
      hint: 'correct the file, or unset ANNEX_CONFIG',
    });
  }
  if (operator?.allowInstalls === false) {
    return deny(`installs are switched off in ${operator.path}`, {
      hint: 'set allowInstalls to true in that file',
    });
  }
  if (environment === false) {
    return deny('installs are switched off by ANNEX_ALLOW_INSTALLS', {
      hint: 'unset ANNEX_ALLOW_INSTALLS, or set it to true',
    });
  }
  if (isSealed && !hasStore) {
    return deny('the core is sealed and there is no store', {
      hint: 'set ANNEX_STORE to a directory on a data volume',
    });
  }
  if (storeProblem !== undefined) {
    return deny(storeProblem, {
      code: 'ANNEX_STORE_UNUSABLE',
      hint: 'set ANNEX_STORE to an absolute path outside the core',
    });
  }
  if (isConfined === true) {
    return deny("Node's permission model forbids this process to start an installer", {
      hint: 'start it with --allow-child-process, or run annex install first',
    });
  }
  return { isAllowed: true };
}

function deny(reason: string, { code, hint }: { code?: Refusal['code']; hint: string }): Gate {
  return { isAllowed: false, refusal: { code: code ?? 'ANNEX_DENIED', reason, hint } };
}
