/** Checks that the addons that install scripts built are for the running Node. */
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AnnexError } from '../base/error.ts';
import { AS_NODE } from '../registry/run-npm.ts';

/** Files of one staging directory. */
export interface AddonCheck {
  staging: string;
  /** Paths of files that scripts made, below `staging`; those that are no addons are ignored. */
  paths: string[];
  /** Names of the packages whose scripts ran, for the message. */
  names: string[];
  /** The environment of install scripts. */
  env: Record<string, string>;
  signal: AbortSignal;
}

/** node-gyp keeps the output of the linker beside the addon. */
const INTERMEDIATE = /\/obj\.target\//;

/**
 * Loads addons until Node reports one of another Node: by its NODE_MODULE_VERSION, or by a missing
 * symbol of V8 or Node. Other errors prove nothing: a driver or a library may be missing here, and
 * not every file of that name is an addon.
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
 * Loads addons in a child process: a crash there proves nothing and harms nothing.
 *
 * @throws AnnexError that names the first addon for another Node, and the signal's reason
 */
export async function checkAddons(check: AddonCheck): Promise<void> {
  const { staging, paths, names, env, signal } = check;
  const addons = paths.filter((path) => path.endsWith('.node') && !INTERMEDIATE.test(path));
  if (addons.length === 0) return;
  const args = ['--eval', PROBE, '--', ...addons.map((path) => join(staging, path))];
  const options = { env: { ...env, ...AS_NODE }, cwd: staging, signal, timeout: 60_000 };
  // Loaded late: most installs run no script.
  const { execFile } = process.getBuiltinModule('node:child_process');
  const output = await promisify(execFile)(process.execPath, args, options).then(
    ({ stdout }) => stdout,
    ({ stdout = '' }: { stdout?: string }) => stdout,
  );
  signal.throwIfAborted();
  const foreign = parseOutput(output);
  if (foreign === undefined) return;
  const { path, version } = foreign;
  const made = version === undefined ? 'another Node' : `NODE_MODULE_VERSION ${version}`;
  throw new AnnexError({
    code: 'ANNEX_INSTALL_FAILED',
    reason: `an install script of ${names.join(', ')} built ${path.slice(staging.length + 1)} for ${made}, and this Node has ${process.versions.modules}`,
    hint: `unset the settings that name another Node (npm_config_nodedir, npm_config_target), or use a version of the package that supports Node ${process.version}`,
  });
}

function parseOutput(output: string): { path: string; version?: string } | undefined {
  const [last = ''] = output.trimEnd().split('\n').slice(-1);
  try {
    const found = JSON.parse(last) as { path?: unknown } | null;
    return typeof found?.path === 'string' ? (found as { path: string }) : undefined;
  } catch {
    return undefined;
  }
}
