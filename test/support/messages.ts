/** Compares whole messages of annex: values of one machine or run are replaced by names. */
import { expect } from 'vitest';
import { esmPackage } from './fixtures.ts';
import { type ImportOptions, importIn } from './importer.ts';
import { repositoryRoot } from './package.ts';
import type { PackageFixture } from './registry.ts';
import type { RunOptions } from './sandbox.ts';
import { openWorld, type World, type WorldOptions } from './world.ts';

/** Brings a situation about, and returns options of the program. */
export type Prepare = (
  world: World,
) => ImportOptions | undefined | Promise<ImportOptions | undefined>;

/** Asks for a feature. */
export type Ask = (
  world: World,
  options: RunOptions,
) => Promise<{ stdout: string; stderr: string }>;

/** A situation, and the message that a request for `kit` gets in it. */
export interface MessageCase {
  /** A clause: what is wrong. */
  title: string;
  /** Packages of the registry; one of `kit` by default. */
  packages?: readonly PackageFixture[];
  /** The `annex` key of the core; it declares `kit` by default. */
  annex?: object;
  world?: Partial<WorldOptions>;
  prepare?: Prepare;
  /** What the program imports; `kit` by default. */
  specifier?: string;
  /** Asks in another way than by an import of a program; the output is searched for messages. */
  ask?: Ask;
  /** All lines with a code, on stderr or in the output; see `nameValues`. */
  message: string | readonly string[];
}

/** A package that a feature of the same name installs. */
export const kit = (manifest: Record<string, unknown> = {}): PackageFixture =>
  esmPackage('kit', '1.0.0', 'from-registry', manifest);

/** Opens the world of a case. */
const openCase = ({
  packages = [kit()],
  annex = { features: { kit: '^1.0.0' } },
  world,
}: Partial<MessageCase>): Promise<World> => openWorld({ packages, annex, ...world });

/**
 * Replaces paths, hosts, digests, times and names of entries.
 *
 * @example nameValues('/tmp/annex-test-x/app/annex/kit', world) // '<core>/annex/kit'
 */
function nameValues(text: string, { sandbox, registry }: World): string {
  const paths: [string, string][] = [
    [sandbox.store, '<store>'],
    [sandbox.core, '<core>'],
    [sandbox.home, '<home>'],
    [sandbox.root, '<root>'],
    [repositoryRoot, '<annex>'],
    [new URL(registry.url).host, '<host>'],
  ];
  let named = text;
  for (const [value, name] of paths) named = named.replaceAll(value, name);
  return named
    .replace(/127\.0\.0\.1:\d+/g, '<other host>')
    .replace(/\d+\/\d+\/\d+, \d+:\d+:\d+ [AP]M/g, '<date>')
    .replace(/sha512-[\w+/]{10}\.\.\./g, '<digest>')
    .replace(/\b\d\d:\d\d:\d\d UTC/g, '<time>')
    .replace(/\b([\w.-]+)\.[0-9a-f]{32}\.\w+/g, '$1.<id>')
    .replace(/\b(linux|darwin|win32)-\w+(-(?:glibc|musl))?\b/g, '<platform>')
    .replace(/\bnode\d+-<platform>/g, '<abi>')
    .replace(/\bspawn(?:Sync)? \S+/g, 'spawn <node>');
}

/** Brings a case about, asks, and compares all messages about a feature on stderr. */
export async function expectMessage(one: MessageCase): Promise<void> {
  const { specifier = 'kit', ask, prepare, message } = one;
  const world = await openCase(one);
  const { sandbox } = world;
  const { env, ...options } = (await prepare?.(world)) ?? {};
  const all = { ...options, env: { ANNEX_STORE: sandbox.store, ...env } };
  const asked = ask ?? (() => importIn(sandbox, [specifier], all));
  const { stdout, stderr } = await asked(world, all);
  const lines = new Set(`${stderr}\n${stdout}`.split('\n'));
  const found = [...lines].filter((line) =>
    /^annex: .*(?:\(ANNEX_[A-Z_]+\)|is not installed: )/.test(line),
  );
  expect(found.map((line) => nameValues(line, world))).toEqual([message].flat());
}

/** Asks by a program of the core, an ES module; its errors are its own matter. */
export const runProgram =
  (source: string | ((world: World) => string)): Ask =>
  (world, options) => {
    const { sandbox } = world;
    sandbox.write('app/program.mjs', typeof source === 'string' ? source : source(world));
    return sandbox.run(['--import', sandbox.loader, 'program.mjs'], options);
  };

/** Asks by a command. */
export const runCommand =
  (...args: string[]): Ask =>
  ({ sandbox }, options) =>
    sandbox.annex(args, options);

/** Asks by `ensure`. */
export const callEnsure = runProgram(
  "import { ensure } from 'annex'; await ensure('kit').catch(() => {});",
);

/** Plants an entry of `kit` in the store. @returns its directory */
export const plantKit = ({ sandbox }: World, files: Record<string, string> = {}): string => {
  const pkg = kit();
  return sandbox.plantEntry({
    feature: 'kit',
    packages: [{ ...pkg, files: { ...pkg.files, ...files }, manifest: { type: 'module' } }],
    specs: { kit: '^1.0.0' },
  });
};
