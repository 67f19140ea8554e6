/** The checks of `annex doctor` of each feature, and of whether anything may be installed. */
import type { Settings } from '../../settings/settings.ts';
import { nameCommand, nameInstallCommand } from '../../status/refusals.ts';
import { isUsable } from '../../status/status.ts';
import type { Refusal } from '../../types.ts';
import type { Examined, ExaminedFeature } from '../shared/examine.ts';
import { type Finding, ok, problem, refused, warning } from '../shared/findings.ts';
import { NOT_HASHED } from '../shared/format.ts';

/** Whether installs are denied, and none is needed: every feature is available. Then nothing writes to the store. */
export const needsNoInstall = ({ settings, features }: Examined): boolean =>
  settings.gate !== undefined &&
  features.length > 0 &&
  features.every(({ status }) => isUsable(status));

/** Whether an install may start. Where every feature is available, none needs to. */
export function checkInstalls(examined: Examined): Finding[] {
  const { gate, store } = examined.settings;
  if (gate === undefined) return [ok('installs.allowed', `allowed, into ${store}`)];
  if (!needsNoInstall(examined)) return [refused('installs.allowed', gate)];
  return [ok('installs.allowed', `denied, and every feature is available: ${gate.reason}`)];
}

/**
 * What an import of each feature would get.
 *
 * @param known other findings, whose text is not repeated
 */
export function checkFeatures(
  { settings, features }: Examined,
  known: readonly Finding[],
): Finding[] {
  const found: Finding[] = [];
  /** The features that a reason above explains, by state. */
  const explained = new Map<string, string[]>();
  for (const each of features) {
    const { feature, where, refusal } = each.status;
    // Reported with the declaration.
    if (each.lookup.feature.refusal !== undefined) continue;
    if (where !== 'missing' && refusal && isExplained(refusal, [...known, ...found])) {
      explained.set(where, [...(explained.get(where) ?? []), feature]);
    } else found.push(checkFeature(each, settings));
  }
  const again = [...explained].map(([where, names]) =>
    // Its reason is counted as a problem already.
    warning(IMPORT, `${names.join(', ')}: ${where}, for the reason above`),
  );
  return [...found, ...again];
}

const IMPORT = 'features.import';
const UNREAD = ['store.read', 'store.layer'];

/**
 * Whether a problem has the reason of a refusal, or what a host answered: that counts for all its packages. A store or a layer
 * that cannot be read explains each of its paths.
 */
function isExplained({ reason, isUnread }: Refusal, known: readonly Finding[]): boolean {
  const [, answer] = /^\S+ failed for .*?: (".*")$/.exec(reason) ?? [];
  const [clause] = / cannot be used: [^(]+\(/.exec(isUnread === true ? reason : '') ?? [];
  return known.some(
    ({ id, level, text }) =>
      level === 'problem' &&
      (text.includes(reason) ||
        (answer !== undefined && text.includes(answer)) ||
        (clause !== undefined && UNREAD.includes(id) && text.includes(clause))),
  );
}

function checkFeature(
  { status, damaged: [damaged], unfit, isUnhashed }: ExaminedFeature,
  settings: Settings,
): Finding {
  const { feature, where, refusal, packages } = status;
  const id = IMPORT;
  if (isUsable(status)) {
    const versions = Object.entries(packages).map(([name, { version }]) => `${name} ${version}`);
    const traits = isUnhashed ? `; ${NOT_HASHED}` : '';
    return ok(id, `${feature}: ${where}, ${versions.join(', ')}${traits}`);
  }
  if (where !== 'missing') {
    const install = nameInstallCommand(settings, feature);
    if (refusal === undefined) return problem(id, `${feature}: ${where}`, install);
    const found = refused(id, refusal);
    return { ...found, text: `${feature}: ${found.text}` };
  }
  if (damaged !== undefined) {
    const text = `${feature}: ${damaged.dir} is damaged: ${damaged.damage}; the first import replaces it`;
    return warning(id, text, nameCommand(settings, `verify ${feature} --repair`));
  }
  const first = `${feature}: not installed; the first import installs it`;
  if (unfit?.isLayer === true) return warning(id, `${first}: ${unfit.reason}`, unfit.hint);
  return refusal === undefined ? ok(id, first) : ok(id, `${first}: ${refusal.reason}`);
}
