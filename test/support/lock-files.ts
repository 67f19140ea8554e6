/** Locks for tests: the three files of a feature, and the entries installed from them. */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { type NodeUnderTest, nodes } from './nodes.ts';
import { createSandbox, type RunResult, type Sandbox } from './sandbox.ts';
import { openWorld, type World, type WorldOptions } from './world.ts';

/** Locks hardly depend on the version of Node: their tests run under one. */
export const node = nodes[0] as NodeUnderTest;

/** Names of the three files. */
export const LOCK_FILES = ['annex.json', 'package-lock.json', 'package.json'] as const;

/** A lock, parsed. */
export interface ReadLock {
  dir: string;
  /** Names and texts of all files of the directory. */
  texts: Record<string, string>;
  sidecar: {
    specs: Record<string, string>;
    shared: Record<string, { ranges: string[]; version: string }>;
    private: string[];
    ids: Record<string, string>;
    packages: Record<string, { size: number; listing: string; listed: number }>;
    digests: Record<string, string>;
    platforms: string[];
    unshared: string[];
    [key: string]: unknown;
  };
  packages: Record<string, { version?: string; resolved?: string; integrity?: string }>;
}

/** Reads the lock of a feature by its slug. */
export function readLock(sandbox: Pick<Sandbox, 'core'>, slug: string): ReadLock {
  const dir = join(sandbox.core, 'annex', slug);
  const texts = Object.fromEntries(
    readdirSync(dir)
      .sort()
      .map((name) => [name, readFileSync(join(dir, name), 'utf8')]),
  );
  return {
    dir,
    texts,
    sidecar: JSON.parse(texts['annex.json'] ?? ''),
    packages: JSON.parse(texts['package-lock.json'] ?? '').packages,
  };
}

/** Runs `annex lock`, and expects success. */
export async function lock(sandbox: Sandbox, ...args: string[]): Promise<RunResult> {
  const result = await sandbox.annex(['lock', ...args]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result;
}

/** Copies the locks of one core to another, as git would: all of them, or that of one slug. */
export const copyLocks = (
  from: Pick<Sandbox, 'core'>,
  to: Pick<Sandbox, 'core'>,
  slug = '',
): void =>
  cpSync(join(from.core, 'annex', slug), join(to.core, 'annex', slug), { recursive: true });

/** Options of a world whose core is locked, and preparation of its core, such as shipped packages. */
export interface LockedOptions extends WorldOptions {
  prepare?: (sandbox: Sandbox) => void;
}

/**
 * Locks a core before the tests of a file; its registry is gone by then.
 *
 * @returns opens a separate world for a test, with those locks and overridden options
 * @example
 * const open = lockBefore({ packages, annex: { features: { kit: '^1.0.0' } } });
 * test('...', async () => {
 *   const { sandbox, registry } = await open();
 * });
 */
export function lockBefore(
  options: LockedOptions,
): (others?: Partial<LockedOptions>) => Promise<World> {
  const make = async (others: Partial<LockedOptions> = {}) => {
    const { prepare, ...world } = { node: node.path, ...options, ...others };
    const made = await openWorld(world);
    prepare?.(made.sandbox);
    return made;
  };
  let locked: Sandbox;
  beforeAll(async () => {
    const { sandbox, registry } = await make();
    locked = sandbox;
    await lock(sandbox);
    await registry.stop();
  });
  return async (others) => {
    const world = await make(others);
    copyLocks(locked, world.sandbox);
    return world;
  };
}

/**
 * Locks a core before the tests of a file, and installs all of it for every Node: an addon binds an
 * entry to one.
 *
 * @returns opens a separate core for a test, with those locks and a copy of that store
 */
export function installBefore({
  packages,
  annex,
}: Pick<LockedOptions, 'packages' | 'annex'>): (node: NodeUnderTest) => Promise<World> {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ packages, annex });
    await lock(world.sandbox);
    for (const { label, path } of nodes) {
      const env = { ANNEX_STORE: join(world.sandbox.root, label) };
      const installed = await world.sandbox.annex(['install', '--all'], { node: path, env });
      expect(installed).toMatchObject({ code: 0 });
    }
  });
  return async ({ label, path }) => {
    const { registry } = world;
    const sandbox = await createSandbox({ registry, node: path });
    sandbox.setCore(annex);
    copyLocks(world.sandbox, sandbox);
    cpSync(join(world.sandbox.root, label), sandbox.store, { recursive: true });
    return { registry, sandbox };
  };
}

/** Directories of the published entries of a store. */
export function listEntries({ store }: Pick<Sandbox, 'store'>): string[] {
  const root = join(store, 'v1');
  return (existsSync(root) ? readdirSync(root) : [])
    .filter((abi) => abi === 'any' || abi.startsWith('node'))
    .flatMap((abi) => readdirSync(join(root, abi)).map((name) => join(root, abi, name)));
}

/** Names in the staging directory, but for verified tarballs, which a failed install leaves for the next one. */
export const listStaging = ({ store }: Pick<Sandbox, 'store'>): string[] =>
  readdirSync(join(store, 'v1', 'staging')).filter((name) => !name.endsWith('.kept'));
