/**
 * An NFS server, and clients with kernels of their own: nfs-ganesha on this machine, and Linux in user mode, which needs no
 * virtualisation. A client has the files of this machine, but the volume through NFS, at the path where the server has it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../examples/immutable-image/test/support/podman.ts';
import { closeLater } from './close.ts';
import { repositoryRoot } from './package.ts';
import { findProgram } from './programs.ts';
import type { Host } from './rounds.ts';
import { removeTree } from './tree.ts';
import { isRoot } from './user.ts';

/** A client: its volume, and the start of a command that runs there. */
export interface NfsClient extends Required<Host> {
  /** Ends its kernel at once, as a loss of power. */
  kill: () => Promise<void>;
}

/** A running server, until the end of the test file. */
export interface NfsServer {
  /** The exported directory, in which root of a client is root. */
  volume: string;
  /** Another one, in which it is nobody (`root_squash`). */
  squashed: string;
  /**
   * Starts a client.
   *
   * @param port of loopback on this machine, which is forwarded
   * @param options of its mounts: `lookupcache=positive`
   */
  startClient: (port: number, options?: string) => Promise<NfsClient>;
}

/** Why that is impossible here; undefined if it is possible. */
export const nfsProblem: string | undefined = findProblem();

function findProblem(): string | undefined {
  if (!isRoot) return 'it takes root';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  const programs = ['ganesha.nfsd', 'linux.uml', 'mount.nfs4', 'ip', 'modprobe'];
  const missing = programs.filter((name) => !findProgram(name));
  return missing.length === 0 ? undefined : `${missing.join(', ')} cannot be found`;
}

const PORT = 20_490;
const EXPORTS = { volume: 'No_Root_Squash', squashed: 'Root_Squash' };

const support = (name: string): string => join(repositoryRoot, 'test/support', name);
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });

/** Starts a server. */
export async function startNfs(): Promise<NfsServer> {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-nfs-'));
  chmodSync(root, 0o755);
  closeLater(() => removeTree(root));
  for (const name of [...Object.keys(EXPORTS), 'state']) mkdirSync(join(root, name));
  // Addresses for tests of devices, RFC 2544: one network for each client.
  const net = `198.18.${process.pid % 250}`;
  const openDevice = (index: number): string => {
    const device = `annex${process.pid % 100_000}.${index}`;
    ip('tuntap', 'add', 'dev', device, 'mode', 'tap');
    closeLater(() => ip('link', 'delete', device));
    ip('address', 'add', `${net}.${4 * index + 1}/30`, 'dev', device);
    ip('link', 'set', device, 'up');
    return device;
  };
  openDevice(0);
  const config = join(root, 'ganesha.conf');
  writeFileSync(config, composeConfig(root, `${net}.1`));
  const logs = ['-L', join(root, 'server.log'), '-p', join(root, 'server.pid')];
  runUntilClosed('ganesha.nfsd', ['-F', '-f', config, ...logs]);
  await until('the server listens', () => canConnect(`${net}.1`));
  let clients = 0;
  return {
    volume: join(root, 'volume'),
    squashed: join(root, 'squashed'),
    startClient: async (port, options = '') => {
      const index = ++clients;
      const dir = join(root, `client-${index}`);
      for (const name of ['queue', 'done']) mkdirSync(join(dir, name), { recursive: true });
      const [gateway, own] = [`${net}.${4 * index + 1}`, `${net}.${4 * index + 2}`];
      const device = openDevice(index);
      runUntilClosed(process.execPath, [
        support('forward-port.mjs'),
        `${port}`,
        gateway,
        '127.0.0.1',
      ]);
      const init = join(dir, 'init.sh');
      const facts = { root, dir, server: `${net}.1`, gateway, own, port, options };
      writeFileSync(init, composeInit(facts), { mode: 0o755 });
      const kill = runUntilClosed('linux.uml', [
        ...['mem=768M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'rw', `init=${init}`],
        ...[
          `vec0:transport=tap,ifname=${device},mac=02:00:00:00:00:0${index}`,
          'con=null',
          'quiet',
          `uml_dir=${dir}/`,
        ],
      ]);
      await until('the client is ready', () => existsSync(join(dir, 'ready')));
      const prefix = [process.execPath, support('run-in-client.mjs'), dir];
      return { volume: join(root, 'volume'), prefix, kill };
    },
  };
}

/** Starts a program in a group of its own. @returns kills the group, as the end of the test file does */
function runUntilClosed(command: string, args: string[]): () => Promise<void> {
  const program = spawn(command, args, { stdio: 'ignore', detached: true });
  const kill = () => killGroup(program);
  closeLater(kill);
  return kill;
}

async function killGroup(program: ChildProcess): Promise<void> {
  if (program.pid === undefined || program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  process.kill(-program.pid, 'SIGKILL');
  await ended;
}

const canConnect = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(PORT, host, () => resolve(true));
    socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
  });

/** The file of the server. Without `Graceless` the first write waits for 90 s. */
function composeConfig(root: string, address: string): string {
  const exports = Object.entries(EXPORTS).map(
    ([name, squash], index) => `
EXPORT {
  Export_Id = ${index + 1}; Path = ${join(root, name)}; Pseudo = /${name};
  Access_Type = RW; Squash = ${squash}; SecType = sys; FSAL { Name = VFS; }
}`,
  );
  return `
NFS_CORE_PARAM {
  Protocols = 4; NFS_Port = ${PORT}; Bind_addr = ${address};
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = None;
}
NFSV4 { Graceless = true; RecoveryBackend = fs; RecoveryRoot = ${join(root, 'state')}; }
${exports.join('\n')}
`;
}

/** The first program of a client: mounts the volumes, and runs the scripts that appear in its queue. */
const composeInit = (facts: {
  root: string;
  dir: string;
  server: string;
  gateway: string;
  own: string;
  port: number;
  options: string;
}): string => `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec >${facts.dir}/log 2>&1
set -x
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
hostname "$(basename ${facts.dir})"
mkdir -p /run/modules/lib
ln -s /usr/lib/uml/modules /run/modules/lib/modules
modprobe -d /run/modules nfsv4
ip link set lo up
ip address add ${facts.own}/30 dev vec0
ip link set vec0 up
ip route add default via ${facts.gateway}
for name in ${Object.keys(EXPORTS).join(' ')}; do
  mount -t nfs4 -o "port=${PORT},sec=sys${facts.options && `,${facts.options}`}" "${facts.server}:/$name" "${facts.root}/$name" || exit
done
${process.execPath} ${support('forward-port.mjs')} ${facts.port} 127.0.0.1 ${facts.gateway} &
cd ${facts.dir}/queue || exit
touch ../ready
set +x
while :; do
  for name in *.sh; do
    [ -e "$name" ] || continue
    mv "$name" ../done
    (
      sh "../done/$name" >"../done/$name.out" 2>"../done/$name.err"
      echo $? >"../done/$name.new"
      mv "../done/$name.new" "../done/$name.code"
    ) &
  done
  sleep 0.05
done
`;
