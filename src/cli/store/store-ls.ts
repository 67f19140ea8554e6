/** annex store ls: every entry of the store and its layers. */
import type { Settings } from '../../settings/settings.ts';
import { type HeldEntry, type HeldState, listHeld } from '../../status/held.ts';
import { listVersions } from '../../store/manifest.ts';
import { createSurvey } from '../../store/survey.ts';
import {
  cleanText,
  formatAge,
  formatSize,
  formatTime,
  formatVersions,
  plural,
} from '../shared/format.ts';
import { type Measured, measureEntry } from '../shared/measure-entry.ts';
import { composeTable } from '../shared/table.ts';
import { findWidth, type Style } from '../shared/terminal.ts';

/** Text and data of a command. */
export interface Output {
  text: string;
  data: Record<string, unknown>;
}

/** An entry, as `--json` prints it. */
export interface StoredEntry extends Measured {
  feature: string;
  /** Versions of the packages that were declared when it was installed. */
  versions: Record<string, string>;
  state: HeldState;
  why?: string;
  /** Of a retired entry: when it may be deleted, in ISO 8601. */
  until?: string;
  dir: string;
  /** The store or the layer. */
  store: string;
  isLayer: boolean;
  abi: string;
  /** The feature that needs it, and for which Node. */
  neededBy?: string;
}

/** Describes every entry. What cannot be read of one is left out. */
export function describeEntries(settings: Settings, look = createSurvey()): StoredEntry[] {
  const features = [...settings.declaration.features.values()];
  const names = new Map(features.map(({ slug, name }) => [slug, name]));
  return listHeld(settings, undefined, { look }).map((held) => {
    const { slug, manifest, dir, abi } = held.stored;
    const feature = names.get(slug) ?? slug;
    const isTrusted = manifest !== undefined && !['not trusted', 'damaged'].includes(held.state);
    return {
      feature,
      versions: isTrusted ? listVersions(manifest, { packages: manifest.specs }) : {},
      state: held.state,
      ...(held.why !== undefined && { why: held.why }),
      ...(held.until !== undefined && { until: formatTime(held.until) }),
      dir,
      store: held.store,
      isLayer: held.isLayer,
      abi,
      ...measureEntry(dir),
      ...findNeed(held, feature),
    };
  });
}

function findNeed({ state, stored }: HeldEntry, feature: string): Pick<StoredEntry, 'neededBy'> {
  if (state === 'current') return { neededBy: feature };
  return state === 'other Node' ? { neededBy: `${feature} on ${stored.abi}` } : {};
}

const HEAD = ['feature', 'version', 'state', 'age', 'size', 'needed by'];
const STATE = HEAD.indexOf('state');

const COLORS: Partial<Record<string, Style>> = {
  current: 'green',
  damaged: 'red',
  blocked: 'red',
  unreadable: 'red',
  'not trusted': 'red',
  noexec: 'red',
};

/** A table for each store. In a pipe, where a line has room for it, with the directory and the reason. */
export function listEntries(settings: Settings, now: number): Output {
  const entries = describeEntries(settings);
  const stores = [...new Set(entries.map(({ store }) => store))];
  const parts = stores.map((store) => {
    const these = entries.filter((entry) => entry.store === store);
    const { isLayer } = these[0] as StoredEntry;
    const head = `${isLayer ? 'layer' : 'store'} ${store}: ${plural(these.length, 'entry')}`;
    return `${clean(head)}\n${listStore(these, now)}`;
  });
  return { text: parts.join('\n\n') || 'the stores hold no entry', data: { entries } };
}

/** The directories of all entries, one a line. Their files are not looked at. */
export const listDirs = (settings: Settings): string =>
  listHeld(settings)
    .map(({ stored }) => cleanText(stored.dir))
    .join('\n');

function listStore(entries: readonly StoredEntry[], now: number): string {
  const head = findWidth(1) === undefined ? [...HEAD, 'directory', 'why'] : HEAD;
  const lines = entries.map((entry) => toLine(entry, now).slice(0, head.length));
  return composeTable(head, lines, (row, column) =>
    column === STATE ? COLORS[entries[row]?.state ?? ''] : undefined,
  );
}

function toLine(entry: StoredEntry, now: number): string[] {
  const { feature, versions, state, until, published, bytes, neededBy, store, dir, why } = entry;
  return [
    feature,
    shortenVersions(versions),
    until === undefined ? state : `${state} until ${until.slice(0, 16)}Z`,
    published === undefined ? '-' : formatAge(now - Date.parse(published)),
    bytes === undefined ? '-' : formatSize(bytes),
    neededBy ?? '-',
    dir.slice(store.length + 1),
    why ?? '',
  ].map(clean);
}

/** Packages of an entry that a line names. */
const MAX_NAMED = 3;

function shortenVersions(versions: Record<string, string>): string {
  const all = Object.entries(versions);
  const [first] = all;
  if (first === undefined) return '-';
  if (all.length === 1) return first[1];
  const named = formatVersions(Object.fromEntries(all.slice(0, MAX_NAMED)));
  return all.length > MAX_NAMED ? `${named} and ${all.length - MAX_NAMED} more` : named;
}

/** Characters of a cell; a manifest can have a megabyte in one text. */
const MAX_CELL = 300;

const clean = (text: string): string => cleanText(text.slice(0, MAX_CELL));
