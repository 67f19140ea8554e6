/** Calls every function of src/store that writes, lists or deletes once, for stores with a problem. */
import { join } from 'node:path';
import { AnnexError } from '../../src/base/error.ts';
import { addFailure, clearFailures, readFailures } from '../../src/store/failures.ts';
import { makeStaging, makeStore, publish, sweepStaged } from '../../src/store/publish.ts';
import { discard, findRetirement, GRACE, retire, sweepRetired } from '../../src/store/retire.ts';
import { listStored } from '../../src/store/stored.ts';
import { makeFeature } from './feature.ts';

/** An ABI directory of a store. */
export const ABI = 'node137-linux-x64-glibc';
/** An id of an entry. */
export const ID = '0123456789abcdef0123456789abcdef';

const refusal = { code: 'ANNEX_OFFLINE', reason: 'no answer', hint: 'wait' } as const;

/** @returns a line for each failed call */
export function useStore(store: string): string[] {
  const problems: string[] = [];
  const attempt = (action: () => unknown): void => {
    try {
      action();
    } catch (error) {
      problems.push(error instanceof AnnexError ? error.refusal.reason : String(error));
    }
  };
  const entry = join(store, 'v1/any', `alpha.${ID}.0`);
  const now = Date.now();
  attempt(() => problems.push(...makeStore(store, ABI)));
  attempt(() => {
    const staging = makeStaging(store, makeFeature('alpha'));
    publish(store, staging, { abi: ABI, slug: 'alpha', id: ID, nonce: '1' });
    sweepStaged(store, staging);
  });
  attempt(() => findRetirement(store, entry));
  attempt(() => retire(store, entry, 'for a test'));
  attempt(() => sweepRetired(store, now + 2 * GRACE));
  attempt(() => discard(store, entry));
  attempt(() => listStored(store));
  attempt(() =>
    addFailure(
      store,
      'alpha',
      { key: 'k', feature: 'alpha', refusal },
      { ignored: undefined, now },
    ),
  );
  attempt(() => readFailures(store, 'alpha'));
  attempt(() => clearFailures(store));
  return problems;
}
