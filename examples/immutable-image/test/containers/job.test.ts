/** `annex install --within` as the command of a job: the first process of its container, beside others on one volume. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Container, createVolume, runContainer, type Volume } from '../support/container.ts';
import { type ImageRegistry, startImageRegistry } from '../support/network.ts';
import { containerProblem, until } from '../support/podman.ts';

describe.skipIf(containerProblem)(`a job${containerProblem ? `: ${containerProblem}` : ''}`, () => {
  let registry: ImageRegistry;
  let volume: Volume;
  beforeAll(async () => {
    registry = await startImageRegistry();
    volume = createVolume();
  });
  afterAll(async () => {
    await registry?.close();
    volume?.remove();
  });

  /** Starts one as Kubernetes does: with its command in place of the entry point, without root. */
  const startJob = (): Promise<Container> =>
    runContainer({
      image: inject('image'),
      args: ['install', '--all', '--within', '300', '--json'],
      volume: volume.path,
      user: '10000:10000',
      network: registry.network,
      env: { ...registry.env, npm_config_fetch_retries: '0' },
      options: ['--entrypoint', 'annex', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'all'],
    });

  test('SIGTERM ends it while it waits for the registry, with 143', async () => {
    await registry.fault({ status: 503 });
    const job = await startJob();
    try {
      await until('it waits', async () => (await job.logs()).includes('next try'));
      await job.stop(300);
      expect(await job.wait()).toBe(143);
    } finally {
      await job.remove();
    }
    expect(readdirSync(join(volume.path, 'annex/v1/locks'))).toEqual([]);
  });

  test('two on one volume install at once, whatever failed before, and each backend once', async () => {
    await registry.reset();
    const jobs = await Promise.all([startJob(), startJob()]);
    try {
      const codes = await Promise.all(jobs.map((job) => job.wait()));
      const logs = (await Promise.all(jobs.map((job) => job.logs()))).join('\n');
      expect(codes, logs).toEqual([0, 0]);
      expect(logs.match(/^annex: installing /gm)).toHaveLength(3);
      expect(logs).not.toContain('next try');
    } finally {
      for (const job of jobs) await job.remove();
    }
  });
});
