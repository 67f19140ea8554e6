/** A registry of images on loopback: Debian's docker-registry. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../examples/immutable-image/test/support/podman.ts';
import { closeLater } from './close.ts';
import { findPort } from './free-port.ts';

/** A running registry, which ends with the test. */
export interface ImageRegistry {
  /** `localhost:5000` */
  host: string;
  /** The file of a blob, by its digest. */
  blob: (digest: string) => string;
}

/** Starts a registry with its files in a directory. */
export async function startImageRegistry(dir: string): Promise<ImageRegistry> {
  const host = `localhost:${await findPort()}`;
  mkdirSync(dir);
  const config = join(dir, 'config.yml');
  // JSON is YAML.
  const settings = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: dir } },
    http: { addr: host },
  };
  writeFileSync(config, JSON.stringify(settings));
  const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  closeLater(async () => {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
  });
  await until('the registry answers', async () => (await fetch(`http://${host}/v2/`)).ok);
  return {
    host,
    blob: (digest) => {
      const [, hex = ''] = digest.split(':');
      return join(dir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    },
  };
}
