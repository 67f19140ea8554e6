/** PostgreSQL and Redis on free ports of loopback, as a user other than root. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findProgram } from './programs.ts';
import { removeTree } from './tree.ts';
import { isRoot } from './user.ts';

/** Running servers. */
export interface Databases {
  /** The user is `postgres`, without a password. */
  postgres: number;
  redis: number;
  close(): void;
}

const ROOT = '/usr/lib/postgresql';

/** The directory of PostgreSQL's programs; undefined when it is not installed. */
const programs: string | undefined = (existsSync(ROOT) ? readdirSync(ROOT) : [])
  .map((version) => join(ROOT, version, 'bin'))
  .find((directory) => existsSync(join(directory, 'initdb')));

/** Whether both are installed. */
export const hasDatabases: boolean =
  programs !== undefined && findProgram('redis-server') !== undefined;

/** PostgreSQL refuses to run as root, and as a user without a name. */
function findUser(): { uid: number; gid: number } | undefined {
  if (!isRoot) return undefined;
  const ask = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: ask('-u'), gid: ask('-g') };
}

/** Starts both, and waits until they answer. */
export async function startDatabases(): Promise<Databases> {
  const user = findUser();
  const root = mkdtempSync(join(tmpdir(), 'annex-databases-'));
  const data = join(root, 'data');
  mkdirSync(data);
  if (user !== undefined) for (const path of [root, data]) chownSync(path, user.uid, user.gid);
  const options = { ...user, cwd: root, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const [postgres, redis] = [await findPort(), await findPort()];

  const run = (name: string, ...args: string[]): void => {
    execFileSync(join(programs ?? '', name), args, { ...options, stdio: 'ignore' });
  };
  run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync');
  const flags = `-p ${postgres} -h 127.0.0.1 -k ${root} -F`;
  run('pg_ctl', '-D', data, '-o', flags, '-l', join(root, 'log'), '-w', 'start');

  const args = ['--port', `${redis}`, '--bind', '127.0.0.1', '--save', ''];
  const server = spawn('redis-server', args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(server.stdout)) {
    if (line.includes('Ready to accept connections')) break;
  }
  server.stdout.resume();
  return {
    postgres,
    redis,
    close: () => {
      server.kill('SIGKILL');
      run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop');
      removeTree(root);
    },
  };
}

/** A free port. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
