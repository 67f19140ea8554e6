/** The network beside the image: one without a way out, with the stand-in registry on it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Container } from './container.ts';
import { preparePackages } from './packages.ts';
import { podman, runLabel, until } from './podman.ts';

/** How the registry is to behave: milliseconds before each answer, and the status of each; 0 is as usual. */
export interface RegistryFaults {
  ms?: number;
  status?: number;
}

/** A running registry on a network of its own. */
export interface ImageRegistry {
  network: string;
  /** What a container on the network needs to use it: npm's registry, and the SDKs' base URLs. */
  env: Record<string, string>;
  /** `GET /exa-js/-/exa-js-2.23.0.tgz` of every request since the last reset. */
  requests(): Promise<string[]>;
  fault(faults: RegistryFaults): Promise<void>;
  /** Forgets requests and faults. */
  reset(): Promise<void>;
  /** Takes it off the network: nobody has its address then. */
  disconnect(): Promise<void>;
  /** Puts it back, at the same address. */
  connect(): Promise<void>;
  close(): Promise<void>;
}

const program = join(import.meta.dirname, 'registry.mjs');

const point = (url: string): Record<string, string> => ({
  EXA_BASE_URL: url,
  FIRECRAWL_BASE_URL: url,
  FEISHU_BASE_URL: url,
});
/** The environment of a container that has no network, and the APIs of `startApis` on its loopback. */
export const loopback: Record<string, string> = point('http://127.0.0.1:4873');

/** Starts the APIs, without any package, inside the network namespace of a container that is running. */
export async function startApis({ pid }: Pick<Container, 'pid'>): Promise<{ close(): void }> {
  const node = [process.execPath, program, '', '4873'];
  const child = spawn('nsenter', ['-t', pid(), '-n', ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return { close: () => void child.kill() };
}

/** Starts one; its network goes with it. */
export async function startImageRegistry(): Promise<ImageRegistry> {
  const packages = await preparePackages();
  const name = `annex-registry-${randomBytes(4).toString('hex')}`;
  await podman('network', 'create', '--internal', '--label', runLabel(), name);
  const usual = ['--detach', '--label', runLabel(), '--pull', 'never'];
  const place = ['--name', name, '--network', name];
  const mounts = ['-v', `${program}:/registry.mjs:ro`, '-v', `${packages}:/packages:ro`];
  // The image is there, and has Node.
  const node = ['--entrypoint', 'node', '--env', 'NODE_OPTIONS=', inject('image')];
  try {
    await podman('run', ...usual, ...place, ...mounts, ...node, '/registry.mjs');
  } catch (error) {
    await podman('network', 'rm', '--force', name);
    throw error;
  }
  const format = `{{(index .NetworkSettings.Networks "${name}").IPAddress}}`;
  const address = await podman('inspect', '--format', format, name);
  // Not by its name: whenever a container of the network starts or ends, the name server loses questions.
  const url = `http://${address}:4873`;
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const post = { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${url}/-/${path}`, body ? post : {});
    return await response.json();
  };
  await until('the registry answers', async () => Array.isArray(await ask('requests')));
  return {
    network: name,
    env: { npm_config_registry: `${url}/`, ...point(url) },
    requests: async () => (await ask('requests')) as string[],
    fault: async (faults) => void (await ask('faults', faults)),
    reset: async () => void (await ask('reset', {})),
    disconnect: async () => void (await podman('network', 'disconnect', name, name)),
    connect: async () => void (await podman('network', 'connect', '--ip', address, name, name)),
    close: async () => {
      await podman('rm', '--force', '--volumes', '--time', '0', name);
      await podman('network', 'rm', '--force', name);
    },
  };
}
