/** Reads each source of settings over the table, and resolves each setting to one value. */
import { isObject } from '../base/shape.ts';
import { isPackageName } from '../base/specifier.ts';
import type { Refusal } from '../types.ts';
import { isNear, refuseSetting } from './parse.ts';
import { COLUMNS, KEYS, type Key, type Row, SCHEMA, SETTINGS, type Values } from './table.ts';

/** A place where settings are written. */
export interface Source {
  kind: keyof typeof COLUMNS;
  /** Undefined for the environment. */
  path?: string;
  /** Variables, or the keys of a JSON object. */
  written: Record<string, unknown>;
}

/** A setting as one source states it. */
export interface Statement {
  key: Key;
  kind: Source['kind'];
  /** `ANNEX_LOG`, `timeout in /etc/annex.json`, `annex.conflicts in /app/package.json` */
  place: string;
  value: unknown;
  /** The name is not known, and near to that of the setting. */
  isMisspelled?: true;
}

/** A source that was read. */
export interface ReadSource {
  statements: Statement[];
  /** Everything in it that is invalid. */
  refusals: Refusal[];
  /** Why no install may start until it is corrected. */
  closing?: Refusal;
}

/** The value of a setting and its origin. */
export interface Resolved {
  key: Key;
  value: unknown;
  /** The statements that make up the value: none for a default, several for a list. */
  from: Statement[];
  /** Statements without effect. */
  overrode: Statement[];
}

/** Settings by name, and the origin of each. */
export interface ResolvedSettings {
  values: Values;
  resolved: Resolved[];
}

const rowOf = (key: Key): Row<unknown> => SETTINGS[key] as Row<unknown>;

/** Reads a source. An invalid value counts as the restrictive one, and so does a misspelled key. */
export function readSource(source: Source): ReadSource {
  const read: ReadSource = { statements: [], refusals: [] };
  for (const [name, written] of Object.entries(source.written)) {
    if (name === SCHEMA) continue;
    const key = COLUMNS[source.kind].get(name);
    if (key === undefined) readUnknown(source, name, read);
    else if (written !== undefined) readKnown(source, name, key, read);
  }
  return read;
}

function readKnown(source: Source, name: string, key: Key, read: ReadSource): void {
  const { kind, path, written } = source;
  const row = rowOf(key);
  const { parse, form, restrictive = row.default, closesGate } = row;
  const place = toPlace(source, name);
  const value = parse(written[name], {
    by: kind === 'operator file' ? (path ?? '') : kind,
    report: (index, reason, isDropped) => {
      const refusal = refuseSetting(`${toPlace(source, `${name}[${index}]`)} ${reason}`);
      read.refusals.push(refusal);
      if (closesGate && isDropped) close(source, read, refusal);
    },
  });
  read.statements.push({ key, kind, place, value: value ?? restrictive });
  if (value !== undefined) return;
  const meaning = closesGate ? 'no install may start' : `taken as ${JSON.stringify(restrictive)}`;
  const refusal = refuseSetting(
    `${place} is ${show(written[name])}, not ${form}; ${meaning}`,
    `set it to ${form}${path === undefined ? ', or unset it' : ''}`,
  );
  read.refusals.push(refusal);
  if (closesGate) close(source, read, refusal);
}

/** Ignores a variable that is not near to a switch: another program may own it. */
function readUnknown(source: Source, name: string, read: ReadSource): void {
  const { kind, path, written } = source;
  const similar = [...COLUMNS[kind]].filter(([known]) => isNear(name, known));
  const place = toPlace(source, name);
  const intended = similar.find(([, key]) => isRestricting(rowOf(key)));
  if (intended !== undefined) {
    const [known, key] = intended;
    const { restrictive = [], closesGate } = rowOf(key);
    const meaning = closesGate ? known : `${known}: ${JSON.stringify(restrictive)}`;
    const other = path === undefined ? 'unset it' : 'use a version of annex that knows it';
    const refusal = refuseSetting(
      `${place} is not known to this version and counts as ${meaning}`,
      `rename it to ${known}, or ${other}`,
    );
    read.statements.push({ key, kind, place, value: restrictive, isMisspelled: true });
    read.refusals.push(refusal);
    if (closesGate) close(source, read, refusal);
  } else if (path !== undefined) {
    const [near] = similar.map(([known]) => `rename it to ${known}`);
    const isFeature = kind === 'package.json' && isFeatureLike(name, written[name]);
    const hint = near ?? (isFeature ? 'move it into annex.features' : 'remove it');
    read.refusals.push(
      refuseSetting(
        `${place} is not known to this version and does nothing`,
        `${hint}, or use a version of annex that knows it`,
      ),
    );
  }
}

/** Lets no install start: an invalid list may block any package. */
function close({ kind }: Source, read: ReadSource, refusal: Refusal): void {
  read.closing ??= {
    ...refusal,
    code: kind === 'package.json' ? 'ANNEX_DENIED' : refusal.code,
    reason: `the list of blocked versions is invalid: ${refusal.reason}`,
  };
}

/** Whether a misspelling counts: if it was ignored, more would be allowed. */
const isRestricting = ({ restrictive, closesGate }: Row<unknown>): boolean =>
  closesGate === true || restrictive !== undefined;

const isFeatureLike = (name: string, value: unknown): boolean =>
  isPackageName(name) && (typeof value === 'string' || isObject(value));

const toPlace = ({ kind, path }: Source, name: string): string =>
  path === undefined ? name : `${kind === 'package.json' ? 'annex.' : ''}${name} in ${path}`;

const show = (written: unknown): string => {
  const json = JSON.stringify(written) ?? String(written);
  return json.length > 100 ? `${json.slice(0, 100)}...` : json;
};

/**
 * Resolves every setting. Lists of several sources add up; of all other statements a restrictive one
 * wins, then the one of the first source.
 */
export function resolveSettings(sources: readonly ReadSource[]): ResolvedSettings {
  const statements = sources.flatMap((source) => source.statements);
  const resolved = KEYS.map((key) =>
    resolveSetting(
      key,
      statements.filter((statement) => statement.key === key),
    ),
  );
  const values = Object.fromEntries(resolved.map(({ key, value }) => [key, value]));
  return { values: values as Values, resolved };
}

function resolveSetting(key: Key, statements: Statement[]): Resolved {
  const row = rowOf(key);
  const winner = statements.find(({ value }) => value === row.restrictive) ?? statements[0];
  if (winner === undefined) return { key, value: row.default, from: [], overrode: [] };
  if (Array.isArray(row.default)) {
    return { key, value: statements.flatMap(({ value }) => value), from: statements, overrode: [] };
  }
  const overrode = statements.filter((statement) => statement !== winner);
  return { key, value: winner.value, from: [winner], overrode };
}
