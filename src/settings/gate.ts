/** Decides whether installs are allowed in this process. Each switch can only restrict. */
import type { Refusal } from '../types.ts';
import type { ReadSource, ResolvedSettings } from './sources.ts';

/** Facts besides the settings. */
export interface GateFacts {
  /** Why the path of the store is not usable. */
  storeProblem?: string | undefined;
  /** Node's permission model keeps this process from starting others. */
  isConfined?: boolean;
  /** `annex bake` runs: `allowInstalls` of package.json does not apply. */
  isBaking?: boolean;
}

/**
 * Why no install may start; undefined when installs are allowed. The first that applies: a switch is
 * off; the operator's file or a list of blocked versions is invalid; the core is sealed without a store;
 * the path of the store is not usable; the process must not start others.
 */
export function decideGate(
  { values, resolved }: ResolvedSettings,
  sources: readonly ReadSource[],
  { storeProblem, isConfined, isBaking }: GateFacts,
): Refusal | undefined {
  const off = resolved
    .filter(({ key, value }) => key === 'allowInstalls' && value === false)
    .flatMap(({ from, overrode }) => [...from, ...overrode])
    .find(({ kind, value }) => value === false && !(isBaking && kind === 'package.json'));
  if (off !== undefined) {
    const { kind, place, isMisspelled } = off;
    const remedy = isMisspelled ? `remove ${place}` : `set ${place} to true`;
    const hint = kind === 'environment' ? `unset ${place}` : remedy;
    const what = isMisspelled ? ', which this version does not know' : '';
    return deny(`installs are switched off by ${place}${what}`, hint);
  }
  const closing = sources.find((source) => source.closing !== undefined)?.closing;
  if (closing !== undefined) return closing;
  if (values.sealed && values.store.length === 0) {
    return deny(
      'the core is sealed and there is no store',
      'set ANNEX_STORE to a directory on a data volume',
    );
  }
  if (storeProblem !== undefined) {
    const hint = 'set ANNEX_STORE to the absolute path of a directory outside the core';
    return { code: 'ANNEX_STORE_UNUSABLE', reason: storeProblem, hint };
  }
  if (isConfined === true) {
    return deny(
      "Node's permission model forbids this process to start an installer",
      'start it with --allow-child-process, or run annex install first',
    );
  }
  return undefined;
}

const deny = (reason: string, hint: string): Refusal => ({ code: 'ANNEX_DENIED', reason, hint });
