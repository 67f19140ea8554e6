/** Reads OCI image layouts, and checks every digest and size in them. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';

/** Names a blob. */
export interface Named {
  mediaType: string;
  digest: string;
  size: number;
  platform?: Record<string, string>;
  annotations: Record<string, string>;
}

/** An image of a layout. */
export interface ReadImage {
  descriptor: Named;
  manifest: { annotations: Record<string, string>; config: Named; layers: Named[] };
  config: Record<string, unknown>;
  /** With the path of each blob, and the digest of its archive. */
  layers: (Named & { path: string; diffId: string })[];
}

const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const pathOf = (layout: string, { digest }: Named): string =>
  join(layout, 'blobs', digest.replace(':', '/'));

/** Names of all blobs, in order. */
export const listBlobs = (layout: string): string[] =>
  readdirSync(join(layout, 'blobs', 'sha256')).sort();

/** Reads the images of a layout, in the order of its index. */
export function readImages(layout: string): ReadImage[] {
  const parse = (name: string) => JSON.parse(readFileSync(join(layout, name), 'utf8'));
  expect(parse('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
  const read = (named: Named): Buffer => {
    const bytes = readFileSync(pathOf(layout, named));
    expect({ digest: digestOf(bytes), size: bytes.length }).toEqual({
      digest: named.digest,
      size: named.size,
    });
    return bytes;
  };
  return (parse('index.json').manifests as Named[]).map((descriptor) => {
    const manifest = JSON.parse(`${read(descriptor)}`) as ReadImage['manifest'];
    const config = JSON.parse(`${read(manifest.config)}`);
    const layers = manifest.layers.map((layer) => ({
      ...layer,
      path: pathOf(layout, layer),
      diffId: digestOf(gunzipSync(read(layer))),
    }));
    return { descriptor, manifest, config, layers };
  });
}
