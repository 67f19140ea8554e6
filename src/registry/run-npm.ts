/** Runs npm in a temporary directory. */
import { accessSync, constants, existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { pathExists } from '../base/files.ts';
import { describeNpmFailure } from './npm-failure.ts';
import { readNpmSettings } from './npm-settings.ts';

/** One run of npm. */
export interface NpmRun {
  /** A command and flags, in addition to `COMMON_FLAGS`. */
  args: string[];
  /** A directory with a package.json of its own. */
  cwd: string;
  /** The core, whose .npmrc names the registry and signs in; omitted: none. */
  core?: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

/** Flags override every .npmrc, so that no setting of a machine changes an install. */
const COMMON_FLAGS = [
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
];

/**
 * Arguments that write only a package-lock. Conflicting peers pass: npm reports one conflict, and the plan
 * reports all. Addresses are kept for the install that follows.
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

/** Runs npm and resolves to its result and output. */
export async function callNpm({ args, cwd, core, env, signal }: NpmRun) {
  if (core !== undefined) linkSettings(core, cwd);
  const home = isWritable(env.HOME) ? env.HOME : join(cwd, 'home');
  const { cache: usual, flags } = readNpmSettings(core ?? cwd, env);
  const cache = isWritable(usual) ? usual : join(cwd, 'home', '.npm');
  const PATH = composePath(env.PATH, join(cwd, 'home', 'bin'));
  // Loaded late: an installer does not need it when another one has installed the feature.
  const { execa } = await import('execa');
  const npm = execa(
    'npm',
    [...args, ...COMMON_FLAGS, ...flags, `--prefix=${cwd}`, `--cache=${cache}`],
    {
      cwd,
      // npm would keep compiled code in the shared temporary directory, which another user may write.
      env: { ...env, HOME: home, PATH, ...AS_NODE, NODE_DISABLE_COMPILE_CACHE: '1' },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      cancelSignal: signal,
      forceKillAfterDelay: 500,
      maxBuffer: 20_000_000,
    },
  );
  // A process that npm left behind may keep its pipes open.
  npm.once('exit', () => {
    setTimeout(() => [npm.stdout, npm.stderr].map((pipe) => pipe.destroy()), 200).unref();
  });
  return npm;
}

/** Makes Electron behave as Node. */
export const AS_NODE = { ELECTRON_RUN_AS_NODE: '1' };

/** The PATH of a process without one. */
export const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * The PATH of npm and of install scripts: `node` is the running Node, whatever the name of its binary.
 * The npm of another Node may not run on this one, so the npm beside the running Node comes first.
 *
 * @param bin a directory to make, with a link `node` to the running Node
 */
function composePath(path = DEFAULT_PATH, bin: string): string {
  const node = join(bin, 'node');
  mkdirSync(bin, { recursive: true });
  if (!existsSync(node)) symlinkSync(process.execPath, node);
  const nodeDir = dirname(process.execPath);
  const npm = path.split(delimiter).find((dir) => existsSync(join(dir, 'npm')));
  const isOfAnother = npm !== undefined && isOtherNode(join(npm, 'node'));
  const rest = isOfAnother && existsSync(join(nodeDir, 'npm')) ? [nodeDir, path] : [path, nodeDir];
  return [bin, ...rest].join(delimiter);
}

const isOtherNode = (path: string): boolean =>
  existsSync(path) && realpathSync(path) !== realpathSync(process.execPath);

/** Links the core's .npmrc: a copy would put its credentials onto the volume. */
function linkSettings(core: string, cwd: string): void {
  const [npmrc, link] = [join(core, '.npmrc'), join(cwd, '.npmrc')];
  // A second run in the same directory finds the link.
  if (pathExists(npmrc) && !pathExists(link)) {
    symlinkSync(npmrc, link);
  }
}

/** Whether a directory, or its nearest existing ancestor, is writable. */
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
