/** Bakes features into an OCI image layout: an image with one layer for each feature. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { createLookup } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import { digest } from '../base/digest.ts';
import { readPackage } from '../base/package-json.ts';
import { toRealPath } from '../base/paths.ts';
import { parsePlatform, platformOf } from '../base/platform.ts';
import { parseEntryName } from '../base/store-layout.ts';
import { composeImage, type ImageFacts, type ImageLayer } from '../oci/image.ts';
import { writeLayer } from '../oci/layer.ts';
import { addImage, checkLayout } from '../oci/layout.ts';
import { type ImagePlatform, toImagePlatform } from '../oci/platform.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { type Manifest, readEntryManifest } from '../store/manifest.ts';
import { makeDirectory } from '../store/publish.ts';
import { syncTree } from '../store/sync.ts';
import { withTemporary } from '../store/temporary.ts';
import type { InstallResult } from '../types.ts';
import { bakeFeatures } from './bake.ts';

/** An image in a layout. */
export interface BakedImage {
  layout: string;
  /** By which tools choose it: the ABI of Node. */
  name: string;
  /** Of its manifest: `sha256:…`. */
  digest: string;
  platform: ImagePlatform;
}

/** The result of a bake. */
export interface Baked {
  /** The directories are paths in the image. */
  results: InstallResult[];
  /** Undefined when a feature failed, and when core ships all of them. */
  image?: BakedImage;
}

/** Where an image is written. */
export interface ImageJob {
  /** The directory of the layout. */
  layout: string;
  /** The time of the image, in ISO format. */
  created: string;
  /** Called once, when another process changes the layout for long. */
  onWait: (holder: string) => void;
}

/**
 * Bakes features into an image layout. The image's root is what a layer in ANNEX_STORE is. The digest depends on the
 * features, their locks, the ABI of Node, the application's name and version, and `created`.
 *
 * @throws AnnexError when the directory is no layout, and errors of the file system
 */
export async function bakeImage(
  settings: Settings,
  features: Feature[],
  { layout, created, onWait }: ImageJob,
): Promise<Baked> {
  checkLayout(layout);
  makeDirectory(layout, 0o755);
  return withTemporary(async (work) => {
    const store = join(work, 'store');
    mkdirSync(store);
    const baked = { ...settings, store };
    const installed = await bakeFeatures(baked, features);
    const results = installed.map((one) => nameInImage(one, store));
    if (results.some(({ outcome }) => outcome === 'failed')) return { results };
    const layers: ImageLayer[] = [];
    for (const feature of [...features].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const result = results.find((one) => one.feature === feature.name);
      const layer = result && (await writeFeature(result, { settings: baked, feature, work }));
      if (layer !== undefined) layers.push(layer);
    }
    if (layers.length === 0) return { results };
    const { config, manifest, descriptor } = composeImage(layers, readFacts(settings, created));
    const documents = [config, manifest].map((text) => writeDocument(text, work));
    if (settings.isDurable) await syncTree(work, readInstallerEnv(settings));
    const blobs = [...layers.map(({ digest }) => digest), ...documents];
    const wait = { limit: settings.timeout, onWait };
    await addImage(layout, { work, blobs, descriptor }, wait);
    const { digest, platform } = descriptor;
    return { results, image: { layout, name: readAbi(), digest, platform } };
  }, layout);
}

/** The entries are not where they were built: a directory is named as in the image. */
function nameInImage(result: InstallResult, store: string): InstallResult {
  if (result.outcome === 'failed' || result.dir === undefined) return result;
  return { ...result, dir: relative(toRealPath(store), result.dir).split(sep).join('/') };
}

/** Writes the layer of a feature; undefined when core ships the feature. */
async function writeFeature(
  result: InstallResult,
  { settings, feature, work }: { settings: Settings; feature: Feature; work: string },
): Promise<ImageLayer | undefined> {
  if (result.outcome === 'failed' || result.dir === undefined) return undefined;
  const root = join(work, 'store');
  const { abi, shared } = readManifest(join(root, result.dir));
  const tree = { root, entry: result.dir, shared: Object.keys(shared) };
  const { pin } = createLookup(settings, feature).readLock();
  return {
    ...(await writeLayer(tree, work)),
    feature: feature.name,
    entry: parseEntryName(basename(result.dir))?.id ?? '',
    abi,
    versions: result.versions,
    lock: pin?.sidecar.digests['package-lock.json'],
  };
}

/** Of an entry that was just installed. */
function readManifest(dir: string): Manifest {
  const manifest = readEntryManifest(dir);
  if (manifest === undefined) throw new Error(`${dir} was changed while it was baked`);
  return manifest;
}

function readFacts({ core }: Settings, created: string): ImageFacts {
  const { name, version, gitHead } = readPackage(core.root) ?? {};
  const { arm_version: armVersion } = process.config.variables as { arm_version?: string };
  const abi = readAbi();
  const platform = parsePlatform(platformOf(abi)) ?? { os: process.platform, cpu: process.arch };
  return {
    abi,
    platform: toImagePlatform(platform, armVersion),
    created,
    title: textOf(name),
    version: textOf(version),
    revision: textOf(gitHead),
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Writes a blob, and returns its name. */
function writeDocument(text: string, work: string): string {
  const name = digest(text);
  writeFileSync(join(work, name), text);
  return name;
}
