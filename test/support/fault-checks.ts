/** Checks after a fault: Node's own error with the right cause, and a store without damage. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { type Strike, shapeOf } from './faults.ts';
import { FORM, type Imported } from './importer.ts';
import type { Call } from './strace.ts';

/** Names in a directory of a store; empty when it is missing. */
function list(store: string, name: string): string[] {
  const dir = join(store, 'v1', name);
  return existsSync(dir) ? readdirSync(dir).map((found) => join(dir, found)) : [];
}

/** Directories of the entries of a feature. */
export const listEntriesOf = (store: string, feature: string): string[] =>
  list(store, 'any').filter((dir) => basename(dir).startsWith(`${feature}.`));

/** Debris that the next install has to remove. Tarballs that could not be removed stay for a day. */
export const listDebris = (store: string): string[] =>
  ['staging', 'locks', 'retired']
    .flatMap((name) => list(store, name))
    .filter((path) => !path.endsWith('.kept'));

/** Remembered failures. */
export const listFailures = (store: string): string[] => list(store, 'failures');

/** The place of a fault; the same in all runs. Undefined when the run did not reach it. */
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
 * Expects a failed import to have Node's own error, with a cause in the right form.
 *
 * @param errno the error, or the signal that ended the installer; undefined when npm reports it
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
