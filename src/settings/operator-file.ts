/** The operator's file: switches of whoever runs the application, read when it starts and, for what is blocked, again. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { readJson } from '../base/files.ts';
import { isRange } from '../base/semver.ts';
import { isObject } from '../base/shape.ts';
import type { Blocked, Refusal } from '../types.ts';
import { type ReadBlocked, readBlocked } from './blocked.ts';
import type { GateFacts } from './gate.ts';
import type { Verify } from './settings.ts';
import { describeUnknown, parseSwitch } from './switches.ts';

/** Bytes of it. */
const MOST = 2 ** 20;

/** Seconds. */
export const DEFAULT_TIMEOUT = 300;
const VERIFY: readonly unknown[] = ['load', 'first-use', 'off'] satisfies Verify[];

/** What the operator's file says. */
export interface OperatorFile {
  operator: GateFacts['operator'];
  timeout?: number;
  isDurable?: boolean;
  verify?: Verify;
  blocked?: Blocked[];
}

const OPERATOR_KEYS = new Set(['allowInstalls', 'blocked', 'timeout', 'durability', 'verify']);

/**
 * Reads the operator's file; never throws. Whatever is wrong becomes the restrictive value.
 *
 * @param notices gets a line for everything that is wrong, but for what closes the gate by itself
 */
export function readOperatorFile(path: string | undefined, notices: Refusal[]): OperatorFile {
  if (path === undefined) return { operator: undefined };
  const fail = (problem: string): OperatorFile => ({
    operator: { path, allowInstalls: undefined, problem },
  });
  if (!isAbsolute(path)) return fail('is not an absolute path');
  if (!existsSync(path)) return fail('does not exist or cannot be reached');
  let value: unknown;
  try {
    value = readJson(path, MOST, 'follow');
  } catch (error) {
    return fail(error instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read');
  }
  if (!isObject(value)) return fail('does not hold a JSON object');
  const file = value;
  let hasSwitch = false;
  for (const key of Object.keys(file).filter((name) => !OPERATOR_KEYS.has(name))) {
    const { meaning, near } = describeUnknown(key, OPERATOR_KEYS);
    hasSwitch ||= near === 'allowInstalls';
    if (near === 'blocked') continue;
    const what = near === undefined ? 'remove it, or use' : `rename it to ${near}, or use`;
    notices.push(
      notice(`${key} in ${path} ${meaning}`, `${what} a version of annex that knows it`),
    );
  }
  const { blocked, unclear, problems } = readList(file, path);
  for (const problem of problems) {
    if (problem === unclear) continue;
    const reason = `${problem.key} in ${path} ${problem.reason}`;
    notices.push(notice(reason, 'correct that item'));
  }
  const operator = {
    path,
    allowInstalls: hasSwitch ? false : readAllowInstalls(file.allowInstalls, path, notices),
    ...(unclear && {
      problem: `has an invalid list of blocked versions: ${unclear.key} ${unclear.reason}`,
    }),
  };
  const { timeout, durability = 'sync', verify = 'load' } = file;
  const isTime = typeof timeout === 'number' && timeout > 0 && timeout <= 86_400;
  if (timeout !== undefined && !isTime) {
    const reason = `timeout in ${path} is ${JSON.stringify(timeout)}; taken as ${DEFAULT_TIMEOUT}`;
    notices.push(notice(reason, 'set it to a number of seconds, at most 86400'));
  }
  if (durability !== 'sync' && durability !== 'none') {
    const reason = `durability in ${path} is ${JSON.stringify(durability)}; taken as sync`;
    notices.push(notice(reason, 'set it to sync or none'));
  }
  const isVerify = VERIFY.includes(verify);
  if (!isVerify) {
    const reason = `verify in ${path} is ${JSON.stringify(verify)}; taken as load`;
    notices.push(notice(reason, `set it to one of ${VERIFY.join(', ')}`));
  }
  return {
    operator,
    blocked,
    isDurable: durability !== 'none',
    ...(isVerify && { verify: verify as Verify }),
    ...(isTime && { timeout }),
  };
}

/** A key that may have been meant as the list leaves open what is blocked. */
function readList(file: Record<string, unknown>, path: string): ReadBlocked {
  const read = readBlocked(file.blocked, { key: 'blocked', by: path, isRange });
  for (const key of Object.keys(file).filter((name) => !OPERATOR_KEYS.has(name))) {
    const { meaning, near } = describeUnknown(key, OPERATOR_KEYS);
    if (near === 'blocked') read.unclear ??= { key, reason: meaning };
  }
  return read;
}

/**
 * What the operator's file blocks at this moment.
 *
 * @param known what it blocked before: that stands when it cannot be read, or not all of it
 */
export function readOperatorBlocked(path: string, known: Blocked[]): Blocked[] {
  try {
    const file: unknown = readJson(path, MOST, 'follow');
    if (!isObject(file)) return known;
    const { blocked, unclear } = readList(file, path);
    return unclear === undefined ? blocked : [...known, ...blocked];
  } catch {
    return known;
  }
}

function readAllowInstalls(value: unknown, path: string, notices: Refusal[]): boolean | undefined {
  if (value === undefined) return undefined;
  const parsed = parseSwitch(value);
  if (parsed === undefined) {
    const reason = `allowInstalls in ${path} is not a boolean; taken as false`;
    notices.push(notice(reason, 'set it to true or false'));
  }
  return parsed ?? false;
}

const notice = (reason: string, hint: string): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint,
});
