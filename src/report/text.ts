/** Makes text of other people safe to show: without credentials, control characters and invisible characters. */
import { INVISIBLE, redact } from '../base/messages.ts';
import type { Whereabouts } from '../types.ts';
import type { ReportedFeature } from './model.ts';

/** Characters of one text. */
const MAX_LENGTH = 1_000;

/**
 * Names each invisible character, and shortens a text that is too long.
 *
 * @example showText('safe\u202Egpj.exe') // 'safe[U+202E]gpj.exe'
 */
export function showText(text: string): string {
  const clean = redact(text.slice(0, MAX_LENGTH)).replace(INVISIBLE, nameCharacter);
  return text.length > MAX_LENGTH ? `${clean}…` : clean;
}

/** @example nameCharacter('|') // '[U+007C]' */
export const nameCharacter = (character: string): string =>
  `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;

/** How a state is shown. */
export interface State {
  /** `ok`: an import works. `open`: it installs the feature. `bad`: it fails. */
  kind: 'ok' | 'open' | 'bad';
  /** A sign that differs by its shape, not by its colour alone. */
  sign: string;
  text: string;
}

const STATES: Record<Whereabouts, State> = {
  core: { kind: 'ok', sign: '■', text: 'in core' },
  'core (not shipped)': { kind: 'ok', sign: '□', text: 'in core, not shipped' },
  store: { kind: 'ok', sign: '●', text: 'in the store' },
  layer: { kind: 'ok', sign: '◆', text: 'in a layer' },
  missing: { kind: 'open', sign: '○', text: 'not installed' },
  'core outside range': { kind: 'bad', sign: '▲', text: 'core outside range' },
  denied: { kind: 'bad', sign: '✕', text: 'denied' },
  failed: { kind: 'bad', sign: '!', text: 'failed' },
};

const DAMAGED: State = { kind: 'bad', sign: '✱', text: 'damaged' };

/** Every state, for a legend. */
export const ALL_STATES: readonly State[] = [...Object.values(STATES), DAMAGED];

/** How the place of a package is shown. */
export const describeWhere = (where: Whereabouts): string => STATES[where].text;

/** How a feature is shown. */
export const describeState = ({ where, state }: Pick<ReportedFeature, 'where' | 'state'>): State =>
  where === 'missing' && state === 'failed' ? DAMAGED : STATES[where];

/** @example plural(2, 'package') // '2 packages' */
export const plural = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

/** @example formatBytes(1_234_567) // '1.2 MB' */
export const formatBytes = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Counts equal texts, the most frequent first.
 *
 * @example countTexts(['MIT', 'ISC', 'MIT']) // [['MIT', 2], ['ISC', 1]]
 */
export function countTexts(texts: readonly string[]): [text: string, count: number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/** Counts of the states of all features, in words. */
export function countStates(features: readonly ReportedFeature[]): string {
  const count = (kind: string): number =>
    features.filter((one) => describeState(one).kind === kind).length;
  const parts = [
    `${plural(count('ok'), 'feature')} available`,
    `${count('open')} not installed`,
    `${count('bad')} unavailable`,
  ];
  return parts.join(', ');
}
