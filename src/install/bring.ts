/** Brings the packages of a plan into a directory: directly, or through npm where that cannot be honoured. */
import { join } from 'node:path';
import type { PackageRecord } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import type { LockNode } from '../plan/graph.ts';
import { refuseElsewhere } from '../registry/failure.ts';
import { type NpmSettings, readNpmSettings } from '../registry/npm-settings.ts';
import { PUBLIC_REGISTRY } from '../registry/registries.ts';
import { runNpm } from '../registry/run-npm.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { type Unpacked, unpackAll } from './unpack.ts';

/** What is to be brought, and where. */
export interface Errand {
  settings: Settings;
  /** A directory; the paths of packages are relative to it. */
  dir: string;
  /** A path of that directory for this process alone, where it is held; else the same. */
  into?: string;
  nodes: LockNode[];
  signal: AbortSignal;
  /** What the lock says of the packages, by path. */
  records?: Record<string, PackageRecord> | undefined;
  /** They are being locked; the places of tarballs that were locked before. */
  first?: { places: Record<string, string> } | undefined;
}

/**
 * Fills `node_modules` of a directory. Where npm has a setting that this process cannot honour, npm
 * fetches the tarballs, into a cache in that directory, `tarballs`; they are verified and unpacked like all others.
 *
 * @throws errors of the file system, as they are
 */
export async function bring(errand: Errand): Promise<Unpacked | Refusal> {
  const { settings, dir, into = dir, nodes, signal } = errand;
  const { core } = settings;
  const installerEnv = readInstallerEnv(settings);
  const npm = readNpmSettings(core.root, installerEnv);
  const isIndirect = nodes.some(
    ({ name }) => npm.indirect(npm.registryFor(name), name) !== undefined,
  );
  try {
    if (!npm.offline) refuseHomeless(errand, npm);
    if (!isIndirect || npm.offline) {
      return await unpackAll({ ...errand, npm, dir: into });
    }
    const cache = join(dir, 'tarballs');
    const env = { ...installerEnv, npm_config_cache: cache };
    const specs = nodes.filter(({ isBundled }) => !isBundled).map((node) => specOf(node, npm));
    const args = ['cache', 'add', ...new Set(specs)];
    const refusal = await runNpm({ args, cwd: dir, core: core.root, env, signal });
    if (refusal !== undefined) return nameIn(refusal, nodes);
    return await unpackAll({ ...errand, npm: { ...npm, cache, offline: true }, dir: into });
  } catch (error) {
    if (error instanceof AnnexError) return error.refusal;
    throw error;
  }
}

/**
 * The public registry is not asked for what came from another one: who asks tells it the name.
 *
 * @throws an error with a refusal
 */
function refuseHomeless({ nodes, records = {} }: Errand, npm: NpmSettings): void {
  for (const { path, name, version } of nodes) {
    if (records[path]?.place === undefined || npm.registryFor(name) !== PUBLIC_REGISTRY) continue;
    throw new AnnexError(refuseElsewhere(`${name}@${version}`, name));
  }
}

/** What to ask npm for: a version of the registry, or what is elsewhere by its address. */
function specOf({ name, version, resolved }: LockNode, npm: NpmSettings): string {
  return resolved === undefined || npm.isOnRegistry(resolved, name)
    ? `${name}@${version}`
    : resolved;
}

/** npm names digests alone. */
function nameIn(refusal: Refusal, nodes: LockNode[]): Refusal {
  const node = nodes.find(
    ({ integrity }) => integrity !== undefined && refusal.reason.includes(integrity),
  );
  return node === undefined
    ? refusal
    : { ...refusal, reason: `${node.name}@${node.version}: ${refusal.reason}` };
}
