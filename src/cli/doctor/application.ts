/** The checks of `annex doctor` of the application, and of its settings. */
import { accessSync, constants } from 'node:fs';
import { findCorePackage } from '../../app/core.ts';
import { isShipped } from '../../app/inventory.ts';
import { HERE, version } from '../../base/own-files.ts';
import { readCwd } from '../../base/paths.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Finding, ok, problem, refused, warning } from '../shared/findings.ts';
import { plural } from '../shared/format.ts';
import type { Config } from '../shared/read-config.ts';

/** Whether there is an application, and what it declares. */
export function checkApplication({ application, absence, settings }: Config): Finding[] {
  if (application === undefined) {
    return absence === undefined ? [] : [refused('application.root', absence)];
  }
  const { root } = application.core;
  const isNamed = settings.some(({ setting, from }) => setting === 'core' && from.length > 0);
  const found = root === readCwd() ? 'the working directory' : 'found above the working directory';
  const how = isNamed ? 'named by ANNEX_CORE or --core' : found;
  return [
    ok('application.root', `${root}, ${how}`),
    ...checkSeal(application),
    ...checkDeclaration(application),
    ...checkImporters(application),
    ...checkPackage(application),
  ];
}

/** Root can write everywhere. */
function checkSeal({ core, isSealed }: Settings): Finding[] {
  if (!isSealed || process.geteuid?.() === 0) return [];
  try {
    accessSync(core.root, constants.W_OK);
  } catch {
    return [ok('application.seal', 'sealed, and this user cannot write it')];
  }
  const text = `sealed, and uid ${process.geteuid?.()} can write ${core.root}`;
  return [warning('application.seal', text, `chown -R root ${core.root}, in the Dockerfile`)];
}

function checkDeclaration({ core, declaration }: Settings): Finding[] {
  const features = [...declaration.features.values()];
  const invalid = features.flatMap(({ refusal }) => refusal ?? []);
  if (features.length === 0) {
    const text = `${core.root}/package.json declares no feature`;
    return [warning('application.features', text, 'npx annex init')];
  }
  const valid = features.length - invalid.length;
  return [
    ...(valid > 0 ? [ok('application.features', `declares ${plural(valid, 'feature')}`)] : []),
    ...invalid.map((refusal) => refused('application.features', refusal)),
  ];
}

/** A misspelled name has no effect. A directory can be absent on purpose: a volume that is not mounted. */
const checkImporters = ({ core, declaration }: Settings): Finding[] =>
  declaration.importers
    .filter((name) => !name.startsWith('/') && findCorePackage(name, core.root) === undefined)
    .map((name) =>
      warning(
        'application.importers',
        `annex.importers lists ${name}, and no package of that name is installed`,
        'correct the name in annex.importers, or remove it',
      ),
    );

/** The package annex of the application: an image without devDependencies lacks one that is only there. */
function checkPackage({ core }: Settings): Finding[] {
  const id = 'application.annex';
  const own = findCorePackage('annex', core.root);
  if (own === undefined) {
    const text = `no package annex is installed; this command runs from ${HERE}`;
    return [warning(id, text, 'npm install annex')];
  }
  if (!isShipped(core, 'annex')) {
    const text = 'annex is not among the dependencies: npm ci --omit=dev leaves it out';
    return [warning(id, text, 'npm install --save-prod annex')];
  }
  if (own.version === version) return [ok(id, `ships annex ${version}`)];
  const text = `ships annex ${own.version ?? 'unreadable'}, and this command is annex ${version}`;
  return [warning(id, text, `${own.dir}/dist/cli/main.js doctor`)];
}

/** Every setting that is invalid or misspelled. */
export function checkSettings({ application, problems, settings }: Config): Finding[] {
  const { gate, declaration } = application ?? {};
  const found = problems
    // Reported as the reason why nothing is installed.
    .filter(({ reason }) => gate === undefined || !gate.reason.endsWith(reason))
    .map((refusal) => {
      // An invalid key of package.json can hide a feature.
      const isLoss = declaration?.refusals.some(({ reason }) => reason === refusal.reason);
      return isLoss
        ? problem('settings.invalid', refusal.reason, refusal.hint)
        : refused('settings.invalid', refusal, 'warning');
    });
  if (found.length > 0) return found;
  const set = settings.filter(({ from }) => from.length > 0).map(({ setting }) => setting);
  return [ok('settings.valid', `valid: ${set.join(', ') || 'all are defaults'}`)];
}
