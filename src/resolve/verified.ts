/** Verifies Node's answers about entries, and asks again in a sound entry when one is damaged. */
import { findAim } from './containment.ts';
import type { Subject } from './facts.ts';
import type { Outcome, Question, Request } from './request.ts';

/** The damage of an entry, as one clause, or the error that the request gets. */
export type Verdict = { damage: string } | { error: unknown };

/** The request that finds its answer in a sound entry, and how to ask Node for it. */
export interface Redirection {
  request: Request;
  question: Question;
}

/** Verifies answers for one thread. */
export interface AnswerVerifier {
  /**
   * Verifies an answer, and what Node read to find it.
   *
   * @param entry the directory that has to hold the answer
   * @returns undefined when nothing is damaged
   */
  verifyAnswer: (
    request: Request,
    entry: string,
    answer: Outcome<string | undefined>,
  ) => Verdict | undefined;
  /** Finds or installs a sound entry for one that is damaged. */
  redirect: (request: Request, entry: string, damage: string) => Redirection | { error: unknown };
}

/** Asks Node for something that an entry has to hold. The request of the subject becomes the one that was answered. */
export function* askVerified<R>(
  subject: Subject,
  fileOf: (result: R) => string | undefined,
  verifier: AnswerVerifier | undefined,
): Generator<Question, Outcome<R>, Outcome<R>> {
  let question: Question = {};
  for (;;) {
    const outcome = yield question;
    const { entry } = subject.aim;
    if (entry === undefined || verifier === undefined) return outcome;
    const verdict = verifier.verifyAnswer(subject.request, entry, mapAnswer(outcome, fileOf));
    if (verdict === undefined) return outcome;
    if ('error' in verdict) return verdict;
    const next = verifier.redirect(subject.request, entry, verdict.damage);
    if ('error' in next) return next;
    question = next.question;
    subject.request = next.request;
    subject.aim = findAim(next.request, subject.locator);
  }
}

/** The answer as a path. */
export const mapAnswer = <R>(
  outcome: Outcome<R>,
  fileOf: (result: R) => string | undefined,
): Outcome<string | undefined> =>
  'error' in outcome ? outcome : { result: fileOf(outcome.result) };
