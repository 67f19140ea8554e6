/** The checks of `annex doctor` of each feature, and of whether anything may be installed. */
import { nameInstallCommand } from '../../status/refusals.ts';
import { isUsable } from '../../status/status.ts';
import type { Examined, ExaminedFeature } from '../shared/examine.ts';
import { type Finding, ok, problem, refused, warning } from '../shared/findings.ts';

/** Whether an install may start. Where every feature is available, none needs to. */
export function checkInstalls({ settings, features }: Examined): Finding[] {
  const { gate, store } = settings;
  if (gate === undefined) return [ok('installs.allowed', `allowed, into ${store}`)];
  const isComplete = features.length > 0 && features.every(({ status }) => isUsable(status));
  if (!isComplete) return [refused('installs.allowed', gate)];
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
  return (
    features
      // Reported with the declaration.
      .filter(({ lookup }) => lookup.feature.refusal === undefined)
      .map((each) => checkFeature(each, nameInstallCommand(settings, each.status.feature), known))
  );
}

function checkFeature(
  { status, damaged: [damaged] }: ExaminedFeature,
  command: string,
  known: readonly Finding[],
): Finding {
  const { feature, where, refusal, packages } = status;
  const id = 'features.import';
  if (isUsable(status)) {
    const versions = Object.entries(packages).map(([name, { version }]) => `${name} ${version}`);
    return ok(id, `${feature}: ${where}, ${versions.join(', ')}`);
  }
  if (where !== 'missing') {
    if (refusal === undefined) return problem(id, `${feature}: ${where}`, command);
    const isKnown = known.some(({ text }) => text.endsWith(refusal.reason));
    if (isKnown) return problem(id, `${feature}: ${where}, for the reason above`);
    const found = refused(id, refusal);
    return { ...found, text: `${feature}: ${found.text}` };
  }
  if (damaged !== undefined) {
    const text = `${feature}: ${damaged.dir} is damaged: ${damaged.damage}; the first import replaces it`;
    return warning(id, text, `annex verify ${feature} --repair`);
  }
  const first = `${feature}: not installed; the first import installs it`;
  return refusal === undefined ? ok(id, first) : ok(id, `${first}: ${refusal.reason}`);
}
