/** The report as GitHub-flavoured Markdown, short enough for a pull request. */
import type { Report, ReportedFeature } from './model.ts';
import {
  countStates,
  describeState,
  formatBytes,
  nameCharacter,
  plural,
  showText,
} from './text.ts';

/** Names of shared packages in a cell. */
const NAMES = 5;

/** Composes a heading, a table of features, and the reason of each that is unavailable. */
export function composeMarkdown({ core, shared, features }: Report): string {
  const own = features.reduce((sum, { closure }) => sum + closure.length, 0);
  const counts = `${countStates(features)}; ${plural(own, 'package')} of features, ${plural(shared.length, 'package')} shared by core.`;
  const head = [
    'feature',
    'state',
    'declared',
    'locked',
    'in use',
    'shared by core',
    'own',
    'size',
  ];
  const rows = [head, head.map(() => '---'), ...features.map(toRow)];
  const reasons = features.flatMap(({ feature, refusal }) =>
    refusal === undefined
      ? []
      : `- ${quote(feature)}: ${quote(refusal.reason)} (${quote(refusal.code)}). Now: ${quote(refusal.hint)}`,
  );
  return [
    `### ${quote(core.name)} ${quote(core.version ?? '')}`.trimEnd(),
    counts,
    rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    ...(reasons.length === 0 ? [] : [reasons.join('\n')]),
  ].join('\n\n');
}

function toRow(one: ReportedFeature): string[] {
  const { feature, packages, shared, closure, bytes } = one;
  const { sign, text } = describeState(one);
  const all = Object.entries(packages);
  const named = (value: string | undefined, name: string): string =>
    value === undefined ? '' : all.length === 1 && name === feature ? value : `${name} ${value}`;
  const list = (key: 'range' | 'locked' | 'version'): string =>
    quoteAll(all.map(([name, each]) => named(each[key], name)));
  const more = shared.length > NAMES ? ` and ${shared.length - NAMES} more` : '';
  return [
    quoteCell(feature),
    `${sign} ${text}`,
    list('range'),
    list('locked'),
    list('version'),
    `${quoteAll(shared.slice(0, NAMES).map(({ name }) => name))}${more}`,
    String(closure.length),
    bytes === undefined ? '' : formatBytes(bytes),
  ];
}

/**
 * Quotes a text as code, in which nothing has a meaning: no markup, link, mention or issue.
 *
 * @example quote('a`b') // '``a`b``'
 */
export function quote(text: string): string {
  const shown = showText(text).trim();
  if (shown === '') return '';
  const runs = shown.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(0, ...runs.map((run) => run.length)) + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/**
 * Quotes a text for a cell of a table, where a bar ends the cell in code too.
 *
 * @see https://github.github.com/gfm/#tables-extension-
 */
const quoteCell = (text: string): string =>
  quote(text.replace(/\\(?=\\*\|)/g, nameCharacter)).replaceAll('|', '\\|');

const quoteAll = (texts: readonly string[]): string =>
  texts
    .filter((text) => text !== '')
    .map(quoteCell)
    .join(', ');
