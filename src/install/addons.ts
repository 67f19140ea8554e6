/** Whether the addons that install scripts built are made for the Node that runs. */
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AS_NODE } from '../registry/run-npm.ts';
import type { Refusal } from '../types.ts';

/** Addons of one staging directory. */
export interface AddonCheck {
  staging: string;
  /** Below it. */
  paths: string[];
  /** Names of the packages whose scripts built them, for the message. */
  names: string[];
  /** The environment of install scripts. */
  env: Record<string, string>;
  signal: AbortSignal;
}

/** node-gyp keeps the linker's output beside the file that is used. */
const INTERMEDIATE = /\/obj\.target\//;

/**
 * Loads addons, each at its path, until one says that it is made for another Node: what Node says of
 * a NODE_MODULE_VERSION, or a symbol of V8 or Node that is not there. An addon may lack other things
 * here (a driver, a library) and be right; a file of that name may be no addon at all.
 *
 * @see https://github.com/nodejs/node/blob/v24.11.1/src/node_binding.cc DLOpen
 */
const PROBE = `
for (const path of process.argv.slice(1)) {
  try {
    process.dlopen({ exports: {} }, path);
  } catch ({ message }) {
    const [, version] = /NODE_MODULE_VERSION (\\d+)/.exec(message) ?? [];
    const isSymbol = /undefined symbol: _ZN?K?\\d*(?:v8|node)/.test(message);
    if (version === undefined && !isSymbol) continue;
    process.stdout.write('\\n' + JSON.stringify({ path, version }) + '\\n');
    break;
  }
}
process.reallyExit(0);
`;

/**
 * Loads addons in a process that is thrown away: one that crashes there proves nothing, and harms
 * nothing.
 *
 * @returns a refusal that names the first one that is made for another Node; undefined when none is
 * @throws the signal's reason when it is aborted
 */
export async function findForeignAddon(check: AddonCheck): Promise<Refusal | undefined> {
  const { staging, paths, names, env, signal } = check;
  const addons = paths.filter((path) => path.endsWith('.node') && !INTERMEDIATE.test(path));
  if (addons.length === 0) return undefined;
  const args = ['--eval', PROBE, '--', ...addons.map((path) => join(staging, path))];
  const options = { env: { ...env, ...AS_NODE }, cwd: staging, signal, timeout: 60_000 };
  // Loaded late: most installs run no script.
  const { execFile } = process.getBuiltinModule('node:child_process');
  const stdout = await promisify(execFile)(process.execPath, args, options).then(
    (ended) => ended.stdout,
    ({ stdout: said = '' }: { stdout?: string }) => said,
  );
  signal.throwIfAborted();
  const found = readFinding(stdout);
  if (found === undefined) return undefined;
  const { path, version } = found;
  const made = version === undefined ? 'another Node' : `NODE_MODULE_VERSION ${version}`;
  return {
    code: 'ANNEX_INSTALL_FAILED',
    reason: `an install script of ${names.join(', ')} built ${path.slice(staging.length + 1)} for ${made}, and this Node has ${process.versions.modules}`,
    hint: `take away settings that name another Node (npm_config_nodedir, npm_config_target), or use a version of the package that supports Node ${process.version}`,
  };
}

function readFinding(stdout: string): { path: string; version?: string } | undefined {
  const [last = ''] = stdout.trimEnd().split('\n').slice(-1);
  try {
    const found = JSON.parse(last) as { path?: unknown } | null;
    return typeof found?.path === 'string' ? (found as { path: string }) : undefined;
  } catch {
    return undefined;
  }
}
