/** Reads every setting with its origin, whether or not there is an application. */
import { loadSettings } from '../../app/settings.ts';
import { currentEnv } from '../../base/environment.ts';
import { redact } from '../../base/messages.ts';
import { readCwd } from '../../base/paths.ts';
import { readEnvironment } from '../../settings/environment.ts';
import { readOperatorFile } from '../../settings/operator-file.ts';
import { isNear, refuseSetting } from '../../settings/parse.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Resolved, resolveSettings, type Statement } from '../../settings/sources.ts';
import { COLUMNS, type Key, type Row, SETTINGS } from '../../settings/table.ts';
import type { Refusal } from '../../types.ts';
import { explainNoApplication } from './command.ts';

/** A value as it is printed: features by their names, blocked versions as they are written. */
export type ShownValue = string | number | boolean | string[];

/** A value where it is written. */
export interface Origin {
  source: Statement['kind'];
  /** `ANNEX_LOG`, `annex.conflicts in /app/package.json` */
  place: string;
  value: ShownValue;
  /** The name is not known, and near to that of the setting. */
  isMisspelled?: true;
}

/** A setting in the output of `annex config`. */
export interface ConfigRow {
  setting: Key;
  value: ShownValue;
  /** Empty for a default; several for a list that adds up. */
  from: Origin[];
  /** Values without effect. */
  overrode: Origin[];
}

/** Every setting, and what is wrong with what was written. */
export interface Config {
  settings: ConfigRow[];
  /** Invalid and misspelled settings. */
  problems: Refusal[];
  /** Undefined without an application. */
  application: Settings | undefined;
  /** Why there is no application. */
  absence?: Refusal;
}

/** Reads the settings of the application above the working directory. Without one, those of the environment. */
export function readConfig(): Config {
  const loaded = loadSettings({ script: undefined, cwd: readCwd(), self: undefined });
  const misspelled = listMisspelledVariables();
  if (loaded.settings !== undefined) {
    const { settings } = loaded;
    const rows = settings.resolved.map((resolved) => toRow(resolved, settings));
    const problems = [...settings.notices, ...misspelled].map(hideSecrets);
    return { settings: rows, problems, application: settings };
  }
  const environment = readEnvironment();
  const { values } = resolveSettings([environment]);
  const hasFile = environment.statements.some(({ key }) => key === 'config');
  const sources = [environment, ...(hasFile ? [readOperatorFile(values.config)] : [])];
  const problems = sources.flatMap(({ refusals }) => refusals);
  return {
    settings: resolveSettings(sources).resolved.map((resolved) => toRow(resolved, undefined)),
    problems: [...problems, ...misspelled].map(hideSecrets),
    application: undefined,
    absence: hideSecrets(explainNoApplication(loaded)),
  };
}

const hideSecrets = (refusal: Refusal): Refusal => ({ ...refusal, reason: redact(refusal.reason) });

function toRow(
  { key, value, from, overrode }: Resolved,
  settings: Settings | undefined,
): ConfigRow {
  const known = from.length === 0 ? findDefault(key, settings) : undefined;
  return {
    setting: key,
    value: known ?? toShown(key, value),
    from: from.map(toOrigin),
    overrode: overrode.map(toOrigin),
  };
}

/** The value in place of a default that depends on the machine. */
function findDefault(key: Key, settings: Settings | undefined): ShownValue | undefined {
  if (key === 'core') return settings?.core.root;
  return key === 'store' && settings?.store !== undefined ? [settings.store] : undefined;
}

const toOrigin = ({ key, kind, place, value, isMisspelled }: Statement): Origin => ({
  source: kind,
  place: redact(place),
  value: toShown(key, value),
  ...(isMisspelled && { isMisspelled }),
});

function toShown(key: Key, value: unknown): ShownValue {
  if (key === 'features') return Object.keys(value as object).map(redact);
  if (key === 'blocked') return (value as { spec: string }[]).map(({ spec }) => redact(spec));
  if (typeof value === 'string') return redact(value);
  return Array.isArray(value) ? value.map((item) => redact(String(item))) : (value as ShownValue);
}

/** Variables that do nothing and look like one of annex. Their values may be secrets of another program. */
function listMisspelledVariables(): Refusal[] {
  const names = Object.keys(currentEnv()).filter((name) => /^_?ANNEX/i.test(name));
  return names.flatMap((name) => {
    if (COLUMNS.environment.has(name)) return [];
    const similar = [...COLUMNS.environment].filter(([known]) => isNear(name, known));
    const [near] = similar;
    const isRead = name.startsWith('ANNEX_') && similar.some(([, key]) => isSwitch(key));
    if (near === undefined || isRead) return [];
    const reason = `${name} is not known to this version and does nothing`;
    return refuseSetting(reason, `rename it to ${near[0]}, or unset it`);
  });
}

/** A misspelled switch counts: it is among the statements, and is reported there. */
const isSwitch = (key: Key): boolean => (SETTINGS[key] as Row<unknown>).restrictive !== undefined;
