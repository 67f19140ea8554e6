/** The text of `annex why`: the verdict first, then the rule, the copies and the remedy. */
import { wrap } from '../../base/layout.ts';
import { showName } from '../../base/messages.ts';
import { cleanText } from '../shared/format.ts';
import { findWidth, paint, type Style } from '../shared/terminal.ts';
import type { Copy } from './copies.ts';
import type { Explanation } from './explanation.ts';
import type { InsidePackage } from './inside.ts';
import { VERDICTS } from './rules.ts';

/** Formats an explanation. A blank line stands between its parts. */
export function formatExplanation(explanation: Explanation): string {
  const parts = [
    composeVerdict(explanation),
    composeRules(explanation),
    composeCopies(explanation),
    composeInside(explanation),
    composeRemedy(explanation),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** Columns of a text that goes elsewhere than to a terminal. */
const WIDTH = 80;

/**
 * One text as lines that fit; those after the first are indented further. Control characters, which can come from a
 * store, are escaped.
 */
function fit(text: string, indent = 0): string[] {
  const hang = indent + 2;
  const lines = wrap(cleanText(text), (findWidth(1) ?? WIDTH) - hang);
  return lines.map((line, at) => ' '.repeat(at === 0 ? indent : hang) + line);
}

/** Colours the words that a line starts with. */
const emphasize = (style: Style, words: string, [first = '', ...rest]: string[]): string[] => [
  paint(style, words) + first.slice(words.length),
  ...rest,
];

function composeVerdict(explanation: Explanation): string[] {
  const { specifier, kind, from, zone, feature, range, locked, file, refusal } = explanation;
  const why = refusal?.reason ?? VERDICTS[explanation.rule] ?? explanation.nodeError?.message ?? '';
  const where = zone === undefined ? '' : ` (${zone})`;
  const pinned = locked === undefined ? 'not locked' : `locked at ${locked}`;
  return [
    // A path stays whole, and on the first line.
    ...(file === undefined
      ? emphasize('red', 'NOT FOUND', fit(`NOT FOUND because ${why}`))
      : emphasize('green', 'found', [`found ${showName(file)}`])),
    ...fit(`${kind} of ${specifier} from ${from}${where}`),
    ...(feature === undefined ? [] : fit(`declared: ${range} in feature ${feature}, ${pinned}`)),
  ];
}

function composeRules({ rule, because, facts, isUnshipped, nodeError }: Explanation): string[] {
  return [
    ...emphasize('bold', `rule ${rule}:`, fit(`rule ${rule}: ${because}`)),
    ...facts.flatMap((fact) => fit(fact, 2)),
    ...(isUnshipped === true ? fit('core has a copy that it does not ship', 2) : []),
    ...(nodeError === undefined ? [] : fit(`error: ${nodeError.message}`, 2)),
  ];
}

/** Copies that are shown. A store can have thousands. */
const MAX_COPIES = 10;

function composeCopies({ copies, rejected = [] }: Explanation): string[] {
  if (copies === undefined) return [];
  // A directory of a store that cannot be searched.
  const others = rejected.filter((reason) => !copies.some(({ dir }) => reason.includes(dir)));
  const lines = [
    ...copies.slice(0, MAX_COPIES).flatMap(composeCopy),
    ...(copies.length > MAX_COPIES
      ? fit(`and ${copies.length - MAX_COPIES} more: see annex store ls`, 2)
      : []),
    ...others.flatMap((reason) => fit(`passed over: ${reason}`, 2)),
  ];
  return lines.length === 0 ? ['copies: none'] : ['copies', ...lines];
}

const PLACES = { core: 'core', store: 'the store', layer: 'a layer' } as const;

function composeCopy({ where, dir, version, isUsed, why }: Copy): string[] {
  const what = `${isUsed ? 'used' : 'lost'}: ${version ?? 'a copy'} in ${PLACES[where]}`;
  return [...fit(why === undefined ? what : `${what}: ${why}`, 2), ...fit(dir, 4)];
}

function composeInside({ inside = [] }: Explanation): string[] {
  return inside.flatMap(({ feature, name, version, through, isShared, because }: InsidePackage) => {
    const way = through.length === 0 ? '' : ` through ${through.join(' > ')}`;
    const kind = isShared ? "core's copy is shared" : 'private';
    return [...fit(`${name} ${version} is in ${feature}${way}`), ...fit(`${kind}: ${because}`, 2)];
  });
}

function composeRemedy({
  rule,
  feature,
  refusal,
  suggestion,
  inside,
  file,
}: Explanation): string[] {
  const lines: string[] = [];
  if (refusal?.state !== undefined) lines.push(...fit(`${refusal.state}.`));
  if (suggestion !== undefined) lines.push(`Did you mean ${suggestion}?`);
  if (refusal !== undefined) lines.push(...fit(`Now: ${refusal.hint} (${refusal.code})`));
  if (rule === 9) lines.push(...fit(`Now: import it, or npx annex install ${feature}`));
  if (inside !== undefined && file === undefined && rule === 3) {
    lines.push(...fit(`Only files of that entry get it. Now: npx annex add ${inside[0]?.name}`));
  }
  return lines;
}
