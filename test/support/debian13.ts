/**
 * Programs of Debian 13, in a root directory of their own: podman 5, which mounts image volumes of pods as podman 4 does not,
 * and kubectl with kustomize.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from '../../examples/immutable-image/test/support/bases.ts';
import { closeLater } from './close.ts';
import { execute, type RunResult } from './process.ts';
import { removeTree } from './tree.ts';

/** catatonit and netavark are what podman recommends; recommended packages are not installed. */
const PACKAGES = ['base-files', 'coreutils', 'podman', 'catatonit', 'runc', 'netavark', 'kubectl'];

/** A running system, which ends with the test file. */
export interface Debian13 {
  /** Runs a program; a non-zero exit code is a result. /tmp is that of this machine. */
  tryRun: (program: string, ...args: string[]) => Promise<RunResult>;
  /**
   * Like `tryRun`.
   * @returns its output, without the final line break
   * @throws its output, when it fails
   */
  run: (program: string, ...args: string[]) => Promise<string>;
}

/** Settings of podman, whose storage is in a directory of the test. */
function writeSettings(state: string, registry: string): Record<string, string> {
  const write = (name: string, lines: string[]): string => {
    const path = join(state, name);
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  };
  return {
    CONTAINERS_CONF: write('containers.conf', [
      '[containers]',
      // The engine's defaults need CAP_SYS_RESOURCE.
      'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]',
      '[engine]',
      'runtime = "runc"',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "none"',
      'lock_type = "file"',
      `tmp_dir = "${state}/tmp"`,
      `volume_path = "${state}/volumes"`,
      '[network]',
      `network_config_dir = "${state}/networks"`,
    ]),
    CONTAINERS_REGISTRIES_CONF: write('registries.conf', [
      '[[registry]]',
      `location = "${registry}"`,
      'insecure = true',
    ]),
    CONTAINERS_STORAGE_CONF: write('storage.conf', [
      '[storage]',
      'driver = "overlay"',
      `graphroot = "${state}/storage"`,
      `runroot = "${state}/run"`,
    ]),
  };
}

/**
 * Makes the directory the root of a mount namespace, with the machine's devices, processes and /tmp. podman unpacks images
 * only where the root is a mount. Mounts of containers stay in the namespace, and end with it.
 */
const HOLD = `mount --bind "$0" "$0" && cd "$0" || exit
for name in dev proc run sys tmp; do mount --rbind "/$name" "$name" || exit; done
pivot_root . home && echo ready && exec sleep infinity`;

/**
 * Starts it. The root is made once, in the cache.
 * @param registry a registry of images without TLS: `localhost:5000`
 */
export async function startDebian13(registry: string): Promise<Debian13> {
  // Packages are unpacked and not configured, which takes a quarter of the time.
  const options = ['--variant=extract'];
  const root = await bootstrap('debian13', '', { suite: 'trixie', included: PACKAGES, options });
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  const state = mkdtempSync(join(tmpdir(), 'annex-debian13-'));
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    PODMAN_IGNORE_CGROUPSV1_WARNING: '1',
    ...writeSettings(state, registry),
  };
  const holder = spawn('unshare', ['--mount', 'sh', '-c', HOLD, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failed = once(holder, 'exit').then(() => Promise.reject(new Error('no namespace')));
  await Promise.race([once(holder.stdout, 'data'), failed]);
  const enter = `--mount=/proc/${holder.pid}/ns/mnt`;
  const tryRun: Debian13['tryRun'] = (program, ...args) =>
    execute('nsenter', [enter, program, ...args], { cwd: '/', env, timeout: 110_000 });
  closeLater(async () => {
    await tryRun('podman', 'pod', 'rm', '--all', '--force', '--time', '0');
    const ended = once(holder, 'exit');
    holder.kill();
    await ended;
    removeTree(state);
  });
  return {
    tryRun,
    run: async (program, ...args) => {
      const { code, stdout, stderr } = await tryRun(program, ...args);
      if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
      return stdout.trimEnd();
    },
  };
}
