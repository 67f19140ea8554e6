/** What has to hold after a fault: Node's own error with the right cause, and a store in which all is whole. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { type Strike, shapeOf } from './faults.ts';
import { FORM, type Imported } from './importer.ts';
import type { Call } from './strace.ts';

/** What is in a directory of a store; nothing when it is not there. */
function list(store: string, name: string): string[] {
  const dir = join(store, 'v1', name);
  return existsSync(dir) ? readdirSync(dir).map((found) => join(dir, found)) : [];
}

/** Directories of the entries of a feature. */
export const listEntriesOf = (store: string, feature: string): string[] =>
  list(store, 'any').filter((dir) => basename(dir).startsWith(`${feature}.`));

/** What is to be swept by the next install. */
export const listDebris = (store: string): string[] =>
  ['staging', 'locks', 'retired'].flatMap((name) => list(store, name));

/** Failures that are remembered. */
export const listFailures = (store: string): string[] => list(store, 'failures');

/** Where a run was hit; the same place has the same text in all runs. Undefined when it did not come by there. */
export function findHit(calls: Call[], store: string, { point }: Strike): string | undefined {
  const at = calls.findIndex(
    (call) =>
      (call.isInjected ||
        (call.isLast && call.name === point.name && call.ordinal === point.ordinal)) &&
      shapeOf(call, store) !== '',
  );
  const hit = calls[at];
  if (hit === undefined) return undefined;
  const place = ({ name, ...call }: Call | (typeof calls)[number]): string =>
    `${name} ${shapeOf(call, store)}`;
  const count = calls.slice(0, at + 1).filter((call) => place(call) === place(hit)).length;
  return `${place(hit)} ${count}`;
}

/**
 * Holds an import that failed to Node's own error with a cause in the right form.
 *
 * @param errno what went wrong, or the signal that ended the installer; undefined when it is npm's to tell
 */
export function expectCause(kit: Imported, errno: string | undefined): void {
  expect(kit).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND', cause: { name: 'AnnexError' } });
  expect(kit.cause?.message).toMatch(FORM);
  if (errno === undefined) return;
  const isSpace = errno === 'ENOSPC' || errno === 'EDQUOT';
  const ofDisk = isSpace ? 'ANNEX_NO_SPACE' : 'ANNEX_STORE_UNUSABLE';
  expect(kit.cause?.message).toContain(errno);
  expect(kit.cause?.code).toBe(errno === 'SIGKILL' ? 'ANNEX_INSTALL_FAILED' : ofDisk);
}
