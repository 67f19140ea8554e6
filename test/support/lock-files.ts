/** Locks as tests look at them: the three files of a feature, and the entries that come of them. */
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type NodeUnderTest, nodes } from './nodes.ts';
import type { RunResult, Sandbox } from './sandbox.ts';

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

/** Locks, and holds the run to its success. */
export async function lock(sandbox: Sandbox, ...args: string[]): Promise<RunResult> {
  const result = await sandbox.annex(['lock', ...args]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result;
}

/** Takes the locks of one core to another, as git would: all of them, or that of one slug. */
export const copyLocks = (
  from: Pick<Sandbox, 'core'>,
  to: Pick<Sandbox, 'core'>,
  slug = '',
): void =>
  cpSync(join(from.core, 'annex', slug), join(to.core, 'annex', slug), { recursive: true });

/** Directories of the published entries of a store. */
export function listEntries({ store }: Pick<Sandbox, 'store'>): string[] {
  const root = join(store, 'v1');
  return (existsSync(root) ? readdirSync(root) : [])
    .filter((abi) => abi === 'any' || abi.startsWith('node'))
    .flatMap((abi) => readdirSync(join(root, abi)).map((name) => join(root, abi, name)));
}

/** What is left in staging. */
export const listStaging = ({ store }: Pick<Sandbox, 'store'>): string[] =>
  readdirSync(join(store, 'v1', 'staging'));
