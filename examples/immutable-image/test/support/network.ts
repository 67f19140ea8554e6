/** Internal network with the test registry. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Container } from './container.ts';
import { preparePackages } from './packages.ts';
import { podman, runLabel, until } from './podman.ts';

/** Faults of the registry: delay in ms and status of each response; 0 for none. */
export interface RegistryFaults {
  ms?: number;
  status?: number;
  /** No response until the next call. */
  isHeld?: boolean;
}

/** A running registry on a separate network. */
export interface ImageRegistry {
  network: string;
  /** Environment for containers on the network: npm's registry and the base URLs of the SDKs. */
  env: Record<string, string>;
  /** Requests since the last reset, for example `GET /exa-js/-/exa-js-2.23.0.tgz`. */
  requests(): Promise<string[]>;
  fault(faults: RegistryFaults): Promise<void>;
  /** Clears requests and faults. */
  reset(): Promise<void>;
  /** Disconnects it from the network; nothing has its address then. */
  disconnect(): Promise<void>;
  /** Reconnects it at the same address. */
  connect(): Promise<void>;
  close(): Promise<void>;
}

const program = join(import.meta.dirname, 'registry.mjs');

const point = (url: string): Record<string, string> => ({
  EXA_BASE_URL: url,
  FIRECRAWL_BASE_URL: url,
  FEISHU_BASE_URL: url,
});
/** Environment of a container without a network, with the APIs of `startApis` on its loopback. */
export const loopback: Record<string, string> = point('http://127.0.0.1:4873');

/** Starts the APIs, without packages, inside the network namespace of a running container. */
export async function startApis({ pid }: Pick<Container, 'pid'>): Promise<{ close(): void }> {
  const node = [process.execPath, program, '', '4873'];
  const child = spawn('nsenter', ['-t', pid(), '-n', ...node], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return { close: () => void child.kill() };
}

/** Starts a registry; closing it removes its network. */
export async function startImageRegistry(): Promise<ImageRegistry> {
  const packages = await preparePackages();
  const name = `annex-registry-${randomBytes(4).toString('hex')}`;
  await podman('network', 'create', '--internal', '--label', runLabel(), name);
  const usual = ['--detach', '--label', runLabel(), '--pull', 'never'];
  const place = ['--name', name, '--network', name];
  const mounts = ['-v', `${program}:/registry.mjs:ro`, '-v', `${packages}:/packages:ro`];
  // Uses the image itself, which has Node.
  const node = ['--entrypoint', 'node', '--env', 'NODE_OPTIONS=', inject('image')];
  try {
    await podman('run', ...usual, ...place, ...mounts, ...node, '/registry.mjs');
  } catch (error) {
    await podman('network', 'rm', '--force', name);
    throw error;
  }
  const format = `{{(index .NetworkSettings.Networks "${name}").IPAddress}}`;
  const address = await podman('inspect', '--format', format, name);
  // By address: the name server drops queries whenever a container of the network starts or ends.
  const url = `http://${address}:4873`;
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const post = { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${url}/-/${path}`, body ? post : {});
    return await response.json();
  };
  const answers = () =>
    until('the registry answers', async () => Array.isArray(await ask('requests')));
  await answers();
  return {
    network: name,
    env: { npm_config_registry: `${url}/`, ...point(url) },
    requests: async () => (await ask('requests')) as string[],
    fault: async (faults) => void (await ask('faults', faults)),
    reset: async () => void (await ask('reset', {})),
    disconnect: async () => void (await podman('network', 'disconnect', name, name)),
    connect: async () => {
      await podman('network', 'connect', '--ip', address, name, name);
      await answers();
    },
    close: async () => {
      await podman('rm', '--force', '--volumes', '--time', '0', name);
      await podman('network', 'rm', '--force', name);
    },
  };
}
