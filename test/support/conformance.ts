/** Compares whole runs of a program: with annex preloaded, and with an empty preload of the same name by the same flag. */
import { cpSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NodeUnderTest } from './nodes.ts';
import { repositoryRoot } from './package.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

/** How Node gets the preload. */
export const MODES = [
  '--import',
  '--require',
  'NODE_OPTIONS --import',
  'NODE_OPTIONS --require',
] as const;

/** One of `MODES`. */
export type Mode = (typeof MODES)[number];

/** Modes of a program that names none. */
const DEFAULT_MODES: readonly Mode[] = ['--import'];

/** One start of Node. */
export interface Start {
  /** Arguments of Node, after the preload; `ROOT` is the directory above the application. */
  args: readonly string[];
  /** Arguments of Node before the preload. */
  before?: readonly string[];
  env?: Record<string, string>;
  /** Standard input. */
  input?: string;
  /** Relative to the directory of the program, which is the default. */
  cwd?: string;
  /** Whether standard error goes to standard output, to compare the order of both. */
  isMerged?: boolean;
}

/** A program, as data. */
export interface Program {
  /** What the program shows, as a fact. */
  title: string;
  /** The files of its own directory below the application, by path; objects as JSON. */
  files?: Record<string, string | object>;
  /** Links in that directory, and where they lead. */
  links?: Record<string, string>;
  /** Started one after the other in the same directory. */
  starts: readonly Start[];
  /** Part of what the program writes with the empty preload, without which it shows nothing. */
  shows: RegExp;
  /** `DEFAULT_MODES` by default. */
  modes?: readonly Mode[];
  /** Whether it runs on this version of Node; on all by default. */
  runsOn?: (node: NodeUnderTest) => boolean;
  /** Removes what differs between any two runs. */
  clean?: (text: string) => string;
}

/** What can be seen of one start from outside. */
export interface Seen {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Whether hooks run in the thread of the program. Node 20 starts a thread for them, which a program can notice. */
export const hasSyncHooks: NonNullable<Program['runsOn']> = ({ major }) => major >= 22;

/** Two equal applications, of which one has annex and the other an empty preload. */
export interface Worlds {
  annex: Sandbox;
  plain: Sandbox;
}

/** Eight features, none of which the programs use. */
export const FEATURES: Record<string, string> = Object.fromEntries(
  [
    'exa-js',
    '@mendable/firecrawl-js',
    'sharp',
    'openai',
    'pg',
    'redis',
    '@slack/web-api',
    'ws',
  ].map((name) => [name, '*']),
);

/**
 * Creates both applications.
 *
 * @param setUp called with each of them
 */
export async function openWorlds(setUp: (world: Sandbox) => void = () => {}): Promise<Worlds> {
  const [annex, plain] = await Promise.all([
    createSandbox({ linkAnnex: false }),
    createSandbox({ linkAnnex: false }),
  ]);
  for (const world of [annex, plain]) {
    world.setCore({ features: FEATURES }, { type: undefined });
    for (const name of ['package.json', ...(world === annex ? ['dist', 'loader.mjs'] : [])]) {
      cpSync(join(repositoryRoot, name), join(dirname(world.loader), name), { recursive: true });
    }
    setUp(world);
  }
  plain.write(plain.loader, '');
  return { annex, plain };
}

/** What was seen of a program in one mode, in each application. */
export interface Comparison extends Record<keyof Worlds, Seen[]> {
  mode: Mode;
}

/** Runs a program in each of its modes, with annex and without. */
export async function compareProgram(
  worlds: Worlds,
  program: Program,
  node: NodeUnderTest,
): Promise<Comparison[]> {
  const compared: Comparison[] = [];
  for (const mode of program.modes ?? DEFAULT_MODES) {
    const plain = await runProgram(worlds.plain, program, mode, node);
    compared.push({ mode, plain, annex: await runProgram(worlds.annex, program, mode, node) });
  }
  return compared;
}

/** Writes a program into an application, in a directory of its own for each mode, and runs it there. */
export async function runProgram(
  world: Sandbox,
  program: Program,
  mode: Mode,
  node: NodeUnderTest,
): Promise<Seen[]> {
  const { title, starts } = program;
  const directory = join('app', `${title} ${mode}`.replaceAll(/\W+/g, '-').toLowerCase());
  writeFiles(world, directory, program);
  const [flag = '', variable] = mode.split(' ').reverse();
  const preload = variable === undefined ? [flag, world.loader] : [];
  const NODE_OPTIONS = variable === undefined ? {} : { NODE_OPTIONS: `${flag}=${world.loader}` };
  const clean = createCleaner(world, program, node);
  const seen: Seen[] = [];
  for (const { before = [], args, env, input = '', cwd = '', isMerged = false } of starts) {
    const line = [node.path, ...before, ...preload, ...args].map((arg) =>
      arg.replaceAll('ROOT', world.root),
    );
    const [command = '', ...rest] = isMerged ? ['sh', '-c', 'exec "$0" "$@" 2>&1', ...line] : line;
    const { code, signal, stdout, stderr } = await world.exec(command, rest, {
      node: node.path,
      cwd: join(directory, cwd),
      env: { ANNEX_STORE: world.store, ...NODE_OPTIONS, ...env },
      input,
    });
    seen.push({ code, signal, stdout: clean(stdout), stderr: clean(stderr) });
  }
  return seen;
}

function writeFiles(world: Sandbox, directory: string, { files = {}, links = {} }: Program): void {
  for (const [path, content] of Object.entries({ '.keep': '', ...files })) {
    world.write(join(directory, path), content);
  }
  for (const [path, target] of Object.entries(links)) {
    world.write(join(directory, dirname(path), '.keep'), '');
    symlinkSync(target, join(world.root, directory, path));
  }
}

/** On Node 20 the hooks thread answers import(): the stack of what follows has this frame or not, depending on when. */
const QUEUE = /\n *at process\.processTicksAndRejections \([^)\n]*\)/g;

/** Replaces the paths of an application, and process ids. */
function createCleaner(
  { root }: Sandbox,
  { clean }: Program,
  node: NodeUnderTest,
): (text: string) => string {
  return (text) => {
    const plain = (hasSyncHooks(node) ? text : text.replaceAll(QUEUE, ''))
      .replaceAll(root, '<root>')
      .replaceAll(encodeURIComponent(root), '<root>')
      .replaceAll(/\(node:\d+\)/g, '(node:<pid>)');
    return clean?.(plain) ?? plain;
  };
}
