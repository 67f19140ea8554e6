/** One temporary world per test: an application, a volume for its store, a home, and ways to run programs in it. */
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { isReachable, shareBinary } from './binary.ts';
import { closeLater } from './close.ts';
import { type EntryOptions, plantEntry } from './entry.ts';
import { type PackageFixture, repositoryRoot, writePackage } from './package.ts';
import { type ExecuteOptions, execute, type RunResult } from './process.ts';
import type { Registry } from './registry.ts';
import { digestTree, removeTree } from './tree.ts';

export type { RunResult } from './process.ts';

/** Options of a program; paths are relative to the sandbox's root. */
export interface RunOptions extends Partial<ExecuteOptions> {
  /** The Node binary: for `run` and `annex` the one to run, and always first in PATH. The running one by default. */
  node?: string;
  /** Keeps the lines on stderr about an install that takes ten seconds or longer, as on a busy machine. */
  keepsProgress?: boolean;
}

/** A line about an install in progress, as text or as JSON. */
const PROGRESS =
  /^(?:annex: \S+: (?:resolving|fetching \d+ of .*|running scripts|syncing|waiting for .*)|\{.*"event":"install\.progress".*)\n/gm;

/** A temporary world. Its directories are world-traversable, so that other users can run in it. */
export interface Sandbox {
  /** Real path of the temporary directory. */
  root: string;
  /** The application, `root/app`. */
  core: string;
  /** `root/volume/annex`; the volume exists, the store does not. */
  store: string;
  /** HOME of programs, `root/home`. */
  home: string;
  /** The preload as installed in the core. */
  loader: string;
  /** Writes a file, objects as JSON, and its parent directories. Returns its absolute path. */
  write(path: string, content: string | object): string;
  /** Writes the core's package.json with that `annex` key and other given keys. */
  setCore(annex: object, extra?: object): void;
  /** Writes a package as installed in a node_modules directory. Returns the package's directory. */
  addPackage(nodeModules: string, pkg: PackageFixture): string;
  /** Plants an entry, by default in this sandbox's store. Returns the entry's directory. */
  plantEntry(options: EntryOptions & { store?: string }): string;
  /** Digest of a directory, to prove that nothing changed; see `digestTree`. */
  digest(directory: string): Record<string, string>;
  /** Runs Node, in the core by default. Never rejects for a non-zero exit. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs the built command line of annex. */
  annex(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs any program found in PATH, such as npm. */
  exec(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Removes everything, read-only directories included. */
  cleanup(): Promise<void>;
}

/** Options of a sandbox. */
export interface SandboxOptions {
  /** The registry of programs; npm's default without one. */
  registry?: Registry;
  /** Whether `app/node_modules/annex` links to this repository; true by default. */
  linkAnnex?: boolean;
  /** Whether it is a copy instead, for users who may not be able to read this repository. */
  copyAnnex?: boolean;
  /** The default Node binary; the running one by default. */
  node?: string;
}

/** Installs the built annex as npm does. */
function copyAnnexTo(directory: string): void {
  for (const name of ['dist', 'loader.mjs', 'package.json']) {
    cpSync(join(repositoryRoot, name), join(directory, name), { recursive: true });
  }
}

/**
 * Creates a sandbox, whose programs see only PATH, HOME and npm's registry, cache and short pauses.
 * @example
 * const sandbox = await createSandbox({ registry });
 * const { stdout } = await sandbox.run(['--import', sandbox.loader, 'app.mjs']);
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { registry, linkAnnex = true, copyAnnex = false, node: usual = process.execPath } = options;
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-test-'));
  const core = join(root, 'app');
  const home = join(root, 'home');
  const store = join(root, 'volume', 'annex');
  const linked = join(core, 'node_modules', 'annex');
  chmodSync(root, 0o755);
  for (const directory of [dirname(linked), home, dirname(store)]) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }
  if (copyAnnex) copyAnnexTo(linked);
  else if (linkAnnex) symlinkSync(repositoryRoot, linked);

  /** One cache per sandbox and user: a shared one would serve, by digest, tarballs that the registry refuses. */
  const openCache = (uid: number | undefined, gid: number | undefined): string => {
    const cache = join(root, `npm-cache-${uid ?? 'own'}`);
    mkdirSync(cache, { recursive: true });
    if (uid !== undefined) chownSync(cache, uid, gid ?? uid);
    return cache;
  };

  const exec: Sandbox['exec'] = async (command, args, runOptions = {}) => {
    const { node: asked = usual, cwd = core, env, keepsProgress, ...rest } = runOptions;
    const isHidden = rest.uid !== undefined && !isReachable(asked);
    const node = isHidden ? shareBinary(asked, join(root, 'nodes')) : asked;
    const isOther = node !== process.execPath;
    const path = process.env.PATH;
    const result = await execute(command === asked ? node : command, args, {
      ...rest,
      cwd: resolve(root, cwd),
      env: {
        PATH: isOther ? [dirname(node), path].join(delimiter) : path,
        HOME: home,
        npm_config_registry: registry?.url,
        npm_config_fetch_retry_mintimeout: '1',
        npm_config_cache: openCache(rest.uid, rest.gid),
        ...env,
      },
    });
    if (keepsProgress) return result;
    return { ...result, stderr: result.stderr.replaceAll(PROGRESS, '') };
  };

  const write: Sandbox['write'] = (path, content) => {
    const target = resolve(root, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    // The linked annex is this repository.
    if (!relative(repositoryRoot, realpathSync(dirname(target))).startsWith('..')) {
      throw new Error(`${path} is in the repository`);
    }
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    writeFileSync(target, text, { mode: 0o644 });
    return target;
  };

  const setCore: Sandbox['setCore'] = (annex, extra = {}) => {
    write(join(core, 'package.json'), {
      name: 'app',
      version: '1.0.0',
      type: 'module',
      annex,
      ...extra,
    });
  };

  const run: Sandbox['run'] = (args, runOptions) =>
    exec(runOptions?.node ?? usual, args, runOptions);

  setCore({ features: {} });
  closeLater(() => removeTree(root));
  return {
    root,
    core,
    store,
    home,
    loader: join(linked, 'loader.mjs'),
    write,
    setCore,
    addPackage: (nodeModules, pkg) => writePackage(resolve(root, nodeModules), pkg),
    plantEntry: ({ store: other = store, ...entry }) => plantEntry(resolve(root, other), entry),
    digest: (directory) => digestTree(resolve(root, directory)),
    run,
    annex: (args, runOptions) =>
      run(
        [join(copyAnnex ? linked : repositoryRoot, 'dist', 'cli', 'main.js'), ...args],
        runOptions,
      ),
    exec,
    cleanup: async () => removeTree(root),
  };
}
