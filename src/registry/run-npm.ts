/** Runs npm in a directory of ours, and tells what went wrong when it fails. */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { describeNpmFailure } from './npm-failure.ts';
import { readNpmSettings } from './npm-settings.ts';

/** What npm is to do, and where. */
export interface NpmRun {
  /** A command, and flags beside those that every run has. */
  args: string[];
  /** A directory with a package.json of its own. */
  cwd: string;
  /** The core: its .npmrc names the registry and signs in. Left out: npm is not told of it. */
  core?: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

/**
 * What npm is told: nothing of the directory's surroundings, no scripts, no reports. The flags stand
 * above every .npmrc, so that no setting of a machine changes what an install means. Two tries with
 * a second between: npm's own default waits 70 s before it says "offline".
 */
const FLAGS = [
  '--loglevel=error',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--no-progress',
  '--no-bin-links',
  '--no-global',
  '--location=user',
  '--no-dry-run',
  '--logs-max=0',
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=1000',
];

/**
 * Writes a package-lock and nothing else. Peers that clash are let through: npm names one edge of
 * them, and the plan names all. Addresses are kept for the install that follows.
 */
export const RESOLVE = [
  'install',
  '--package-lock-only',
  '--ignore-scripts',
  '--force',
  '--save',
  '--package-lock',
  '--lockfile-version=3',
  '--install-strategy=hoisted',
  '--omit=dev',
  '--include=prod',
  '--include=optional',
  '--include=peer',
  '--no-legacy-peer-deps',
  '--no-omit-lockfile-registry-resolved',
];

/** Runs npm. @throws AnnexError when it fails */
export async function runNpm(run: NpmRun): Promise<void> {
  const end = await callNpm({ ...run, args: [...run.args, '--json', '--no-workspaces'] });
  if (end.failed) throw new AnnexError(describeNpmFailure(end));
}

/** Runs npm and resolves to how it ended, with what it said. */
export async function callNpm({ args, cwd, core, env, signal }: NpmRun) {
  if (core !== undefined) linkSettings(core, cwd);
  const home = isWritable(env.HOME) ? env.HOME : join(cwd, 'home');
  const { cache: usual, flags } = readNpmSettings(core ?? cwd, env);
  const cache = isWritable(usual) ? usual : join(cwd, 'home', '.npm');
  const PATH = composePath(env.PATH, join(cwd, 'home', 'bin'));
  // Loaded late: an installer that finds the feature installed by another needs none of it.
  const { execa } = await import('execa');
  const npm = execa('npm', [...args, ...FLAGS, ...flags, `--prefix=${cwd}`, `--cache=${cache}`], {
    cwd,
    // npm would keep compiled code in the shared temporary directory, for whoever runs next.
    env: { ...env, HOME: home, PATH, ...AS_NODE, NODE_DISABLE_COMPILE_CACHE: '1' },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: 500,
    maxBuffer: 20_000_000,
  });
  // What npm left behind may hold its pipes: nothing is waited for that it did not say itself.
  npm.once('exit', () => {
    setTimeout(() => [npm.stdout, npm.stderr].map((pipe) => pipe.destroy()), 200).unref();
  });
  return npm;
}

/** Electron is a Node only when it is asked to be one. */
export const AS_NODE = { ELECTRON_RUN_AS_NODE: '1' };

/**
 * The PATH of npm and of install scripts: `node` is the Node that runs, whatever its binary is
 * called. An npm that belongs to another Node may not run on this one: the npm beside this one, if
 * there is one, is preferred to it.
 *
 * @param bin a directory, made here, in which `node` is a link to the Node that runs
 */
function composePath(path = '/usr/local/bin:/usr/bin:/bin', bin: string): string {
  const node = join(bin, 'node');
  mkdirSync(bin, { recursive: true });
  if (!existsSync(node)) symlinkSync(process.execPath, node);
  const own = dirname(process.execPath);
  const npm = path.split(delimiter).find((dir) => existsSync(join(dir, 'npm')));
  const isOfAnother = npm !== undefined && isOtherNode(join(npm, 'node'));
  const rest = isOfAnother && existsSync(join(own, 'npm')) ? [own, path] : [path, own];
  return [bin, ...rest].join(delimiter);
}

const isOtherNode = (path: string): boolean =>
  existsSync(path) && realpathSync(path) !== realpathSync(process.execPath);

/** The core's .npmrc, as a link: nothing secret is copied onto the volume. */
function linkSettings(core: string, cwd: string): void {
  const npmrc = join(core, '.npmrc');
  if (lstatSync(npmrc, { throwIfNoEntry: false }) !== undefined) {
    symlinkSync(npmrc, join(cwd, '.npmrc'));
  }
}

/** Whether a directory, or the nearest one above it that exists, can be written to. */
function isWritable(path: string | undefined): path is string {
  if (path === undefined || path === '') return false;
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing && dirname(path) !== path && isWritable(dirname(path));
  }
}
