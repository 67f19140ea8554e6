/** A signal that is aborted after a time. */

/**
 * As `AbortSignal.timeout`. Node 20 and early releases of 22 drop that one with the garbage if only `AbortSignal.any`
 * uses it: it is then never aborted. A timer holds this one. It does not keep the process alive.
 *
 * @param ms up to 2^31 - 1
 * @returns a signal whose reason is a DOMException with the name TimeoutError
 * @see https://github.com/nodejs/node/issues/57736
 * @example AbortSignal.any([startTimeLimit(settings.timeout), stop])
 */
export function startTimeLimit(ms: number): AbortSignal {
  const controller = new AbortController();
  const end = (): void =>
    controller.abort(new DOMException('the time limit is over', 'TimeoutError'));
  setTimeout(end, ms).unref();
  return controller.signal;
}
