/** What a driver passes to the resolution of a request. */
import type { Lookup } from '../app/lookup.ts';
import type { Refusal } from '../types.ts';
import type { Decision } from './decide.ts';
import type { Subject } from './facts.ts';
import type { Locator } from './locator.ts';
import type { Report } from './report.ts';
import type { Request } from './request.ts';
import type { AnswerVerifier } from './verified.ts';

/**
 * Installs a feature and blocks this thread meanwhile; returns why that failed.
 *
 * @param request the request that needs it
 */
export type Install = (lookup: Lookup, request?: Request) => Refusal | undefined;

/** An install that was attempted before a request was made. */
export interface Attempt {
  /** Why it failed. */
  refusal: Refusal | undefined;
  /** Whether a request that waited for it has reported that. */
  isReported: boolean;
}

/** Options of `resolveRequest`, from a driver. */
export interface ResolveOptions<R> {
  locator: Locator;
  /** Path of the file of a result; undefined for a builtin. */
  fileOf: (result: R) => string | undefined;
  install: Install;
  /** Verifies answers from entries; by default nothing is verified. */
  verifier?: AnswerVerifier;
  /**
   * Answers a request for a feature that must be installed first, so that nothing blocks: the requester waits and
   * asks again. Undefined when the requester cannot wait.
   */
  postpone?: ((lookup: Lookup) => R | undefined) | undefined;
  /** The install that the requester waited for; no other one is attempted. */
  attempt?: Attempt | undefined;
  /** Reports a request that fails because a feature is unavailable. */
  report?: Report;
  /** Called with every decision. */
  trace?: (decision: Decision, subject: Subject) => void;
}
