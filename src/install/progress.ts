/** What an install is doing: its steps write it down, and the display of the installer shows it. */

/** The state of one install. Steps assign to it. */
export interface Progress {
  step: 'waiting' | 'resolving' | 'fetching' | 'running scripts' | 'syncing';
  /** Of a wait: the installer that has the lock. */
  holder?: string;
  /** Packages unpacked, and packages of the closure. */
  packages: { done: number; total: number };
  /** Bytes of tarballs received; the total is unknown without a lock. */
  bytes: { done: number; total: number | undefined };
  /** Hosts that tarballs were requested from. */
  hosts: Set<string>;
}

/** Creates the state of an install that begins. */
export const createProgress = (): Progress => ({
  step: 'resolving',
  packages: { done: 0, total: 0 },
  bytes: { done: 0, total: undefined },
  hosts: new Set(),
});

/**
 * Describes the state in one clause.
 *
 * @param seconds that the step has taken, for a rate; none without it
 * @example describeProgress(progress, 2) // 'fetching 3 of 21 packages, 4.1 of 12.0 MB, 2.0 MB/s'
 */
export function describeProgress(
  { step, holder, packages, bytes, hosts }: Progress,
  seconds?: number,
): string {
  if (step === 'waiting') return `waiting for ${holder}`;
  if (step !== 'fetching') return step;
  const received = toMegabytes(bytes.done);
  const total = bytes.total === undefined ? '' : ` of ${toMegabytes(bytes.total)}`;
  const rate =
    seconds === undefined || seconds < 0.5 || bytes.done === 0 ? [] : [bytes.done / seconds];
  return [
    `fetching ${packages.done} of ${packages.total} packages`,
    // npm's cache answers without a transfer.
    ...(bytes.done === 0 && total === '' ? [] : [`${received}${total} MB`]),
    ...rate.map((each) => `${toMegabytes(each)} MB/s`),
    ...[...hosts].slice(0, 1).map((host) => `from ${host}`),
  ].join(', ');
}

const toMegabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
