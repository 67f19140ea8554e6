/** A network file system on loopback: one GlusterFS brick and two mounts of it, as on two hosts. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unmount } from './mount.ts';
import { findProgram } from './programs.ts';
import { removeTree } from './tree.ts';
import { isRoot } from './user.ts';

/** A running volume. */
export interface Gluster {
  mounts: [string, string];
  close(): Promise<void>;
}

/** Why a volume is impossible here; undefined if it is possible. */
export const glusterProblem: string | undefined = findProblem();

function findProblem(): string | undefined {
  if (!isRoot) return 'mounting takes root';
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  return findProgram('glusterfsd') === undefined ? 'glusterfs-server is not installed' : undefined;
}

/** A translator on top of another. */
const translator = (name: string, type: string, options: object, below?: string): string =>
  [
    `volume ${name}`,
    `  type ${type}`,
    ...Object.entries(options).map(([key, value]) => `  option ${key} ${value}`),
    ...(below === undefined ? [] : [`  subvolumes ${below}`]),
    'end-volume\n',
  ].join('\n');

/** The file of glusterd 10 for a volume of one brick, without replicas and quotas. */
const writeBrick = (directory: string, port: number): string =>
  [
    translator('posix', 'storage/posix', { directory }),
    translator('access', 'features/access-control', {}, 'posix'),
    translator('locks', 'features/locks', {}, 'access'),
    translator('upcall', 'features/upcall', {}, 'locks'),
    translator('threads', 'performance/io-threads', {}, 'upcall'),
    translator('brick', 'debug/io-stats', { 'unique-id': 'brick' }, 'threads'),
    translator(
      'server',
      'protocol/server',
      {
        'transport-type': 'tcp',
        'transport.socket.bind-address': '127.0.0.1',
        'transport.socket.listen-port': port,
        'auth.addr.brick.allow': '127.0.0.1',
      },
      'brick',
    ),
  ].join('\n');

/** The file of glusterd for a mount, with caches. */
const writeMount = (port: number): string =>
  [
    translator('client', 'protocol/client', {
      'transport-type': 'tcp',
      'remote-host': '127.0.0.1',
      'remote-port': port,
      'remote-subvolume': 'brick',
      'send-gids': 'true',
    }),
    translator('dht', 'cluster/distribute', {}, 'client'),
    translator('utime', 'features/utime', { noatime: 'on' }, 'dht'),
    translator('write-behind', 'performance/write-behind', {}, 'utime'),
    translator('open-behind', 'performance/open-behind', {}, 'write-behind'),
    translator('quick-read', 'performance/quick-read', {}, 'open-behind'),
    translator('md-cache', 'performance/md-cache', {}, 'quick-read'),
    translator('threads', 'performance/io-threads', {}, 'md-cache'),
  ].join('\n');

/** Starts one. */
export async function openGluster(): Promise<Gluster> {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-gluster-'));
  const at = (name: string): string => join(root, name);
  for (const name of ['brick', 'one', 'two']) mkdirSync(at(name));
  const port = await findPort();
  writeFileSync(at('brick.vol'), writeBrick(at('brick'), port));
  writeFileSync(at('mount.vol'), writeMount(port));
  const start = (program: string, graph: string, name: string, ...args: string[]): void => {
    const usual = ['-f', at(graph), '-p', at(`${name}.pid`), '-l', at(`${name}.log`)];
    execFileSync(program, [...usual, ...args], { stdio: 'ignore', timeout: 30_000 });
  };
  const stop = (name: string): void => {
    try {
      process.kill(Number(readFileSync(at(`${name}.pid`), 'utf8')));
    } catch {
      // It was not started, or has already ended.
    }
  };
  start('glusterfsd', 'brick.vol', 'brick-process');
  await waitFor(() => readFileSync(at('brick-process.log'), 'utf8').includes('Final graph'));
  for (const name of ['one', 'two']) start('glusterfs', 'mount.vol', `${name}-mount`, at(name));
  await waitFor(() => {
    mkdirSync(join(at('one'), 'ready'), { recursive: true });
    return existsSync(join(at('two'), 'ready'));
  });
  return {
    mounts: [at('one'), at('two')],
    close: async () => {
      for (const name of ['one', 'two']) unmount(at(name));
      for (const name of ['one-mount', 'two-mount', 'brick-process']) stop(name);
      removeTree(root);
    },
  };
}

/** @throws when the condition does not become true */
async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      if (isTrue()) return;
    } catch (error) {
      if (tries > 300) throw error;
    }
    if (tries > 300) throw new Error('GlusterFS did not start');
    await sleep(50);
  }
}

/** A port that is free at the moment. */
const findPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
