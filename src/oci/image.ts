/** Composes the documents of an OCI image: its config, its manifest, and the descriptors in them. */
import { digest } from '../base/digest.ts';
import type { WrittenLayer } from './layer.ts';
import type { ImagePlatform } from './platform.ts';

/** Media types of https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md. */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};

/** What an image of entries is. It stays an image, with an image's config: engines mount nothing else. */
const ARTIFACT_TYPE = 'application/vnd.annex.layer.v1';

/** The annotation by which tools choose an image of a layout. */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** Says where a blob is and what it is. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  artifactType?: string;
  platform?: ImagePlatform;
  annotations?: Record<string, string>;
}

/** A layer with the facts about its entry. */
export interface ImageLayer extends WrittenLayer {
  feature: string;
  /** The id of the entry. */
  entry: string;
  /** The ABI directory of the entry. */
  abi: string;
  /** Versions of the declared packages. */
  versions: Record<string, string>;
  /** sha256 of the locked package-lock.json, in hex digits; undefined without a lock. */
  lock: string | undefined;
}

/** The facts about an image. */
export interface ImageFacts {
  /** The ABI of the Node that baked it. */
  abi: string;
  platform: ImagePlatform;
  /** ISO format, in seconds. */
  created: string;
  /** Of the application, as far as its package.json has them. */
  title: string | undefined;
  version: string | undefined;
  revision: string | undefined;
}

/** An image without its layers. */
export interface Image {
  config: string;
  manifest: string;
  /** Of the manifest, as it is in an index. */
  descriptor: Descriptor & { platform: ImagePlatform };
}

/** Composes an image. Equal layers and facts give equal bytes. */
export function composeImage(layers: ImageLayer[], facts: ImageFacts): Image {
  const { abi, platform, created, title, version, revision } = facts;
  const config = JSON.stringify({
    created,
    ...platform,
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => `sha256:${diffId}`) },
    history: layers.map(({ feature }) => ({ created, created_by: `annex bake ${feature}` })),
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: ARTIFACT_TYPE,
    config: describe(MEDIA.config, config),
    layers: layers.map(describeLayer),
    annotations: annotate({
      'org.opencontainers.image.title': title,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': revision,
      'annex.abi': abi,
    }),
  });
  const descriptor = {
    ...describe(MEDIA.manifest, manifest),
    artifactType: ARTIFACT_TYPE,
    platform,
    annotations: { [REF_NAME]: abi, 'annex.abi': abi },
  };
  return { config, manifest, descriptor };
}

const describe = (mediaType: string, text: string): Descriptor => ({
  mediaType,
  digest: `sha256:${digest(text)}`,
  size: Buffer.byteLength(text),
});

const describeLayer = ({ digest, size, feature, entry, abi, versions, lock }: ImageLayer) => ({
  mediaType: MEDIA.layer,
  digest: `sha256:${digest}`,
  size,
  annotations: annotate({
    'annex.feature': feature,
    'annex.entry': entry,
    'annex.abi': abi,
    'annex.versions': Object.entries(versions)
      .map(([name, version]) => `${name}@${version}`)
      .sort()
      .join(' '),
    'annex.lock': lock && `sha256:${lock}`,
  }),
});

const annotate = (values: Record<string, string | undefined>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
