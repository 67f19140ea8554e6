/** Stores with remembered failures of one feature. */
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { addFailure, nextFailure } from '../../src/store/failures.ts';
import type { Refusal } from '../../src/types.ts';
import { removeTree } from './tree.ts';

export const refusal: Refusal = { code: 'ANNEX_OFFLINE', reason: 'no answer', hint: 'try later' };
export const failed = { key: 'one', feature: 'alpha', refusal };
export const second = 1_000;
export const minute = 60 * second;
export const day = 24 * 60 * minute;
export const now = Date.UTC(2026, 0, 1, 12);

export const first = nextFailure(undefined, failed, now, 0);

export function makeStore(): string {
  const store = mkdtempSync(join(realpathSync(tmpdir()), 'annex-failures-'));
  onTestFinished(() => removeTree(store));
  mkdirSync(join(store, 'v1'));
  return store;
}

/** Records a failure of the first slug at the current time. */
export const add = (store: string, at: number, rest: Partial<typeof failed> = {}): void =>
  addFailure(store, 'alpha', { ...failed, ...rest }, { ignored: undefined, now: at });
