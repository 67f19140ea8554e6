/** What `annex doctor` finds, and how it is printed. */
import { wrap } from '../../base/layout.ts';
import type { Refusal } from '../../types.ts';
import { cleanText, plural } from './format.ts';
import { findWidth, paint } from './terminal.ts';

/** One finding, as `--json` prints it. */
export interface Finding {
  /** Name of the check, after the name of its group: `store.write`. */
  id: string;
  level: 'ok' | 'warning' | 'problem';
  /** One clause. */
  text: string;
  /** The command or the change that mends it. */
  remedy?: string;
}

export const ok = (id: string, text: string): Finding => ({ id, level: 'ok', text });

/** A finding that may be intended. */
export const warning = (id: string, text: string, remedy?: string): Finding => ({
  id,
  level: 'warning',
  text,
  ...(remedy !== undefined && { remedy }),
});

/** A finding that keeps an import from succeeding. */
export const problem = (id: string, text: string, remedy?: string): Finding => ({
  ...warning(id, text, remedy),
  level: 'problem',
});

/** The finding for the reason why something is not done. */
export const refused = (
  id: string,
  { reason, state, hint }: Refusal,
  level: 'warning' | 'problem' = 'problem',
): Finding => ({
  id,
  level,
  // A state is a sentence of its own, and a clause here.
  text:
    state === undefined
      ? reason
      : `${reason}; ${state.replace(/^./, (letter) => letter.toLowerCase())}`,
  remedy: hint,
});

/** Removes credentials and control characters. */
export const cleanFinding = (finding: Finding): Finding => ({
  ...finding,
  text: cleanText(finding.text),
  ...(finding.remedy !== undefined && { remedy: cleanText(finding.remedy) }),
});

/** Column of the texts. */
const INDENT = 11;

const COLORS = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

/** Problems first, then warnings. */
const RANKS = { problem: 0, warning: 1, ok: 2 } as const;

/** Sorts groups by their worst finding, and the findings of each group. */
function sortFindings(findings: readonly Finding[]): Finding[] {
  const groupOf = ({ id }: Finding): string => id.split('.', 1)[0] ?? '';
  const worst = new Map<string, number>();
  for (const finding of findings) {
    const group = groupOf(finding);
    worst.set(group, Math.min(worst.get(group) ?? RANKS.ok, RANKS[finding.level]));
  }
  const order = [...worst.keys()].sort((a, b) => (worst.get(a) ?? 0) - (worst.get(b) ?? 0));
  return order.flatMap((group) =>
    findings
      .filter((finding) => groupOf(finding) === group)
      .sort((a, b) => RANKS[a.level] - RANKS[b.level]),
  );
}

/**
 * The report for a terminal: the counts, then groups with problems first, one line for each finding, and the
 * remedy below it.
 */
export function formatFindings(findings: readonly Finding[]): string {
  const width = findWidth(1);
  const breakText = (text: string): string[] =>
    width === undefined ? [text] : wrap(text, width - INDENT);
  const count = (level: Finding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const lines = [
    `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}, ${count('ok')} ok`,
  ];
  let group: string | undefined;
  for (const { id, level, text, remedy } of sortFindings(findings)) {
    const [name] = id.split('.', 1);
    if (name !== group) lines.push(paint('bold', name ?? ''));
    group = name;
    const [first, ...rest] = breakText(text);
    lines.push(`  ${paint(COLORS[level], level)}${' '.repeat(7 - level.length)}  ${first}`);
    if (remedy !== undefined) rest.push(...breakText(`Now: ${remedy}`));
    lines.push(...rest.map((line) => ' '.repeat(INDENT) + line));
  }
  return lines.join('\n');
}
