/** annex bake */
import { resolve } from 'node:path';
import { AnnexError, toRefusal } from '../../base/error.ts';
import { refuseByFileError } from '../../base/file-error.ts';
import { bakeFeatures } from '../../install/bake.ts';
import { bakeImage } from '../../install/bake-image.ts';
import { findBuildDate } from '../../lock/made.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import type { InstallResult } from '../../types.ts';
import {
  type Command,
  type Invocation,
  printResults,
  readSettings,
  refuse,
  selectFeatures,
  toExitCode,
  warn,
} from '../shared/command.ts';

/** The time of an image for which SOURCE_DATE_EPOCH names none. */
const EPOCH = '1970-01-01T00:00:00Z';

/** Fills a directory with published entries and nothing else, or adds an image of them to an OCI image layout. */
export const bake: Command = async ({ args: [dir = '', ...names], options, print }) => {
  const settings = readSettings({ baked: resolve(dir) });
  const features = selectFeatures(settings, names);
  if (features.length === 0) {
    const reason = `${settings.core.root}/package.json declares no feature`;
    throw refuse(reason, 'npx annex add NAME@RANGE');
  }
  // Every user can read what is baked, and only its owner can change it.
  process.umask(0o022);
  if (options.oci === true)
    return printImage(features, { layout: resolve(dir), names, settings, print });
  const results = await bakeFeatures(settings, features);
  return printResults(results, describeResult, { names, settings, print });
};

type Done = Exclude<InstallResult, { outcome: 'failed' }>;

const describeResult = ({ feature, outcome, dir }: Done): string =>
  `${feature}: ${outcome === 'core' ? 'core ships it' : dir}`;

interface ImageJob {
  layout: string;
  names: string[];
  settings: Settings;
  print: Invocation['print'];
}

async function printImage(
  features: Feature[],
  { layout, names, settings, print }: ImageJob,
): Promise<number> {
  const job = {
    layout,
    created: findBuildDate() ?? EPOCH,
    onWait: (holder: string) => warn(`waiting for ${holder}, which changes ${layout}`),
  };
  const { results, image } = await bakeImage(settings, features, job).catch((error: unknown) => {
    const refusal = toRefusal(error, () => refuseByFileError(error, layout));
    throw refusal.code === 'ANNEX_NO_SPACE' ? new AnnexError(refusal) : error;
  });
  const done = results.filter((result): result is Done => result.outcome !== 'failed');
  if (image === undefined && done.length === results.length) {
    const reason = `core ${settings.core.root} ships every feature, and an image needs a layer`;
    throw refuse(reason, 'name a feature that core does not ship');
  }
  if (image === undefined) warn(`no image was written to ${layout}: a feature failed`);
  const lines = done.map(describeResult);
  const last = image === undefined ? [] : [`image ${image.name}: ${image.digest}`];
  print([...lines, ...last].join('\n'), { results, image: image ?? null }, { core: settings.core });
  return toExitCode(image !== undefined, names, settings);
}
