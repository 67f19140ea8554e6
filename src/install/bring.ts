/** Brings the packages of a plan into staging: directly, or with npm ci where that cannot be honoured. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refusalOf } from '../errors.ts';
import type { LockNode } from '../plan/graph.ts';
import type { Refusal, Settings } from '../types.ts';
import { inspectTree } from './inspect.ts';
import { INSTALL_LOCKED, runNpm } from './npm.ts';
import { readNpmSettings } from './npm-settings.ts';
import { refuseInstall } from './package-failure.ts';
import type { Prepared } from './prepare.ts';
import { type Unpacked, unpackAll } from './unpack.ts';

/** What is to be brought, and where. */
export interface Errand {
  settings: Settings;
  staging: string;
  nodes: LockNode[];
  prepared: Prepared;
  signal: AbortSignal;
}

/**
 * Fills `node_modules` of a staging directory.
 *
 * @throws errors of the file system, as they are
 */
export async function bring(errand: Errand): Promise<Unpacked | Refusal> {
  const { settings, staging, nodes, signal } = errand;
  const npm = readNpmSettings(settings.core.root, settings.installerEnv);
  const isIndirect = nodes.some(
    ({ name }) => npm.indirect(npm.registryFor(name), name) !== undefined,
  );
  if (isIndirect && !npm.offline) return bringWithNpm(errand);
  try {
    return await unpackAll(nodes, staging, npm, signal);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}

/** npm honours every setting of its own; what it leaves is looked through, as if it were ours. */
async function bringWithNpm(errand: Errand): Promise<Unpacked | Refusal> {
  const { settings, staging, nodes, prepared, signal } = errand;
  const { core, installerEnv: env } = settings;
  const cwd = join(staging, 'project');
  mkdirSync(cwd);
  const { manifest, lock } = prepared.project;
  writeFileSync(join(cwd, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(cwd, 'package-lock.json'), JSON.stringify(lock));
  const refusal = await runNpm({ args: INSTALL_LOCKED, cwd, core: core.root, env, signal });
  if (refusal !== undefined) return refusal;
  renameSync(join(cwd, 'node_modules'), join(staging, 'node_modules'));
  dropOthers(staging, 'node_modules', new Set(nodes.map(({ path }) => path)));
  const paths = nodes.filter(({ isBundled }) => !isBundled).map(({ path }) => path);
  const { oddities, ...inspected } = inspectTree(staging, paths);
  const [odd] = oddities;
  return odd === undefined ? inspected : refuseInstall(`${odd} is neither a file nor a directory`);
}

/** Removes what npm installed and the plan takes from core, and npm's own notes. */
function dropOthers(staging: string, path: string, kept: Set<string>): void {
  for (const name of readdirSync(join(staging, path))) {
    const below = `${path}/${name}`;
    if (name.startsWith('@')) dropOthers(staging, below, kept);
    else if (!kept.has(below)) rmSync(join(staging, below), { recursive: true, force: true });
    else if (readdirSync(join(staging, below)).includes('node_modules')) {
      dropOthers(staging, `${below}/node_modules`, kept);
    }
  }
}
