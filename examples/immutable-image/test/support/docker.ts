/** A separate Docker engine. Its data is removed with it, and it ends with the process that started it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, type RunResult } from '../../../../test/support/process.ts';
import { findProgram } from '../../../../test/support/programs.ts';
import { removeTree } from '../../../../test/support/tree.ts';
import { prepareBase } from './bases.ts';
import { makeContext } from './build.ts';
import { certificates, containerProblem, podman, until } from './podman.ts';

/** Why Docker cannot run here; undefined if it can. */
export const dockerProblem: string | undefined =
  containerProblem ?? (findProgram('dockerd') ? undefined : 'dockerd cannot be found');

/** A running engine. */
export interface Docker {
  /** Runs the client; a non-zero exit code is a result. */
  tryDocker(args: readonly string[]): Promise<RunResult>;
  /**
   * Like `tryDocker`.
   * @returns its output, without the final line break
   * @throws its output, when it fails
   */
  docker(...args: string[]): Promise<string>;
  /**
   * Builds the shipped Dockerfile.
   * @returns the image's id
   */
  build(): Promise<string>;
  /** Ends its containers and the engine, and removes its data. */
  close(): Promise<void>;
}

/** Directories that the engine and its shims always create, in memory; inner ones first. */
const SHARED = ['/run/docker/plugins', '/run/docker', '/run/containerd/s', '/run/containerd'];

/** Starts an engine with only the networks host and none. */
export async function startDocker(): Promise<Docker> {
  const root = mkdtempSync(join(tmpdir(), 'annex-docker-'));
  const at = (name: string): string => join(root, name);
  const made = SHARED.filter((path) => !existsSync(path));
  const host = `unix://${at('socket')}`;
  const own = ['--data-root', at('data'), '--exec-root', at('exec'), '-p', at('pid'), '-H', host];
  const less = ['--bridge', 'none', '--iptables=false', '--default-ulimit', 'nofile=4096:4096'];
  // In a mount namespace, because the engine leaves mounts behind.
  const inside = ['--pdeathsig', 'TERM', 'unshare', '--mount', 'dockerd', ...own, ...less];
  const log = openSync(at('log'), 'w');
  const engine = spawn('setpriv', inside, { stdio: ['ignore', log, log] });
  const ended = once(engine, 'exit');

  const env = { PATH: process.env.PATH, DOCKER_HOST: host, DOCKER_CONFIG: root };
  const tryDocker: Docker['tryDocker'] = (args) =>
    execute('docker', args, { cwd: root, timeout: 110_000, env: { ...env, DOCKER_BUILDKIT: '0' } });
  const docker: Docker['docker'] = async (...args) => {
    const { code, stdout, stderr } = await tryDocker(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
    return stdout.trimEnd();
  };
  const close = async (): Promise<void> => {
    engine.kill();
    await ended;
    removeTree(root);
    for (const path of made) {
      try {
        rmdirSync(path);
      } catch {
        // Another engine runs by now.
      }
    }
  };
  const build = async (): Promise<string> => {
    const base = await prepareBase('24');
    await podman('save', '--quiet', '--output', at('base.tar'), base);
    await docker('load', '--quiet', '--input', at('base.tar'));
    // Podman mounts the host's certificates into builds; for Docker they have to be in the base.
    mkdirSync(at('base'));
    copyFileSync(certificates, at('base/certificates'));
    writeFileSync(at('base/Dockerfile'), `FROM ${base}\nCOPY certificates ${certificates}\n`);
    await docker('build', '--quiet', '--tag', base, at('base'));
    const context = await makeContext();
    try {
      return await docker('build', '--quiet', '--network', 'host', context);
    } finally {
      removeTree(context);
    }
  };
  try {
    await until('the engine answers', async () => {
      if (engine.exitCode !== null) throw new Error(readFileSync(at('log'), 'utf8'));
      return (await tryDocker(['version'])).code === 0;
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { tryDocker, docker, build, close };
}
