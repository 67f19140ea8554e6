/** A core with two features, locked, and a directory to bake them into. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect } from 'vitest';
import { dependentPackage, esmPackage } from './fixtures.ts';
import { type Imports, writeImporter } from './importer.ts';
import { copyLocks, lock } from './lock-files.ts';
import type { RunResult } from './process.ts';
import { type Registry, startRegistry } from './registry.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';
import { asPlainUser } from './user.ts';

const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', alpha: '^1.0.0' }),
  esmPackage('common', '1.2.0', 'common'),
  esmPackage('alpha', '1.0.0', 'alpha'),
  esmPackage('other', '3.0.0', 'other'),
];
const later = [esmPackage('alpha', '1.1.0', 'later'), esmPackage('other', '3.1.0', 'later')];

/** Features that the core declares. */
export const features = { kit: '^1.0.0', other: '^3.0.0' };

type Loaded = RunResult & { imported: Imports['imported'] };

/** The world of a test; the registry has later versions than the locks. */
export interface Baking {
  /** The same core with its locks. */
  locked: Sandbox;
  registry: Registry;
  sandbox: Sandbox;
  /** Directory to bake to; it does not exist yet. */
  layer: string;
  declare: (declared: object, rest?: object) => void;
  /** Runs annex bake with `durability: none`. */
  bake: (...args: string[]) => Promise<RunResult>;
  /** Bakes with the locks, which are older than the later versions. */
  bakeLocked: () => Promise<void>;
  /** Runs the program, optionally through a wrapper command. */
  load: (names: string[], env: Record<string, string>, before?: string[]) => Promise<Loaded>;
  expectBaked: (ran: Pick<Imports, 'imported' | 'stderr'>) => void;
}

/** Sets a fresh core up before each test. */
export function useBaking(): Baking {
  const at = {} as Baking;
  const open = async (options: SandboxOptions): Promise<void> => {
    at.registry = await startRegistry(packages);
    at.sandbox = await createSandbox({ registry: at.registry, ...options });
    at.layer = join(at.sandbox.root, 'image', 'layer');
    at.declare(features);
    const { core } = at.sandbox;
    at.sandbox.addPackage(join(core, 'node_modules'), esmPackage('common', '1.2.0', 'core'));
    writeImporter(at.sandbox);
  };
  at.declare = (declared, rest = {}) =>
    at.sandbox.setCore({ features: declared, ...rest }, { dependencies: { common: '*' } });
  at.bake = (...args) => {
    const ANNEX_CONFIG = at.sandbox.write('quick.json', { durability: 'none' });
    return at.sandbox.annex(['bake', at.layer, ...args], { env: { ANNEX_CONFIG } });
  };
  at.bakeLocked = async () => {
    copyLocks(at.locked, at.sandbox);
    expect(await at.bake()).toMatchObject({ code: 0 });
  };
  at.load = async (names, env, before = []) => {
    const user = before.length === 0 ? asPlainUser : {};
    const { loader } = at.sandbox;
    const [command = '', ...args] = [...before, process.execPath, '--import', loader];
    const options = { env, ...user };
    const ended = await at.sandbox.exec(command, [...args, 'main.mjs', ...names], options);
    expect(ended.code, ended.stderr).toBe(0);
    return { ...ended, imported: JSON.parse(ended.stdout) as Imports['imported'] };
  };
  at.expectBaked = ({ imported, stderr }) => {
    expect(imported).toMatchObject({
      kit: { version: '1.0.0', marker: 'kit' },
      other: { version: '3.0.0', marker: 'other' },
    });
    expect(stderr).toBe('');
  };
  beforeAll(async () => {
    await open({ copyAnnex: true });
    at.locked = at.sandbox;
    await lock(at.locked);
    await at.registry.stop();
  });
  beforeEach(async () => {
    await open({ linkAnnex: false });
    // One copy for all of them: another user may be unable to read this repository.
    const annex = join('node_modules', 'annex');
    symlinkSync(join(at.locked.core, annex), join(at.sandbox.core, annex));
    await at.registry.add(...later);
  });
  return at;
}
