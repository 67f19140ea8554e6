/** Entries whose modules say what ran, changes of them, and a program that observes them; see observe.mjs. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { composeFiles, composeListing } from '../../src/store/listing.ts';
import { listedValue } from './entry.ts';
import type { Sandbox } from './sandbox.ts';

/** The files of an entry, and what the application requests. */
export interface ProbeEntry {
  /** Name of the feature and of its package. */
  name: string;
  /** Paths of packages below the entry; their files are listed one package at a time. */
  packages: string[];
  /** Contents by path below the entry. */
  files: Record<string, string>;
  requests: AppRequest[];
}

/** A request of the application. */
export interface AppRequest {
  /** One of the ways in observe.mjs. */
  way: string;
  specifier?: string;
  /** Below the entry. */
  path?: string;
}

/** A change of an entry. Paths are below the entry. */
export interface Change {
  action:
    | 'write'
    | 'remove'
    | 'rename'
    | 'swap'
    | 'copy'
    | 'link'
    | 'hardLink'
    | 'directory'
    | 'truncate';
  path: string;
  text?: string;
  to?: string;
  /** Of a symbolic link, as it is written. */
  target?: string;
  size?: number;
}

/** One entry and what happens to it. */
export interface Case {
  entry: ProbeEntry;
  changes: Change[];
  /** Number of requests before the change, for a process that runs. */
  early: number;
  /** Whether a second, sound generation of the entry is there. */
  hasSpare: boolean;
}

/** What a program saw of one entry. */
export interface Seen {
  /** Result by request: what was loaded or found, or an error, which starts with `!`. */
  seen: Record<string, string>;
  /** What ran: an id and a path, `<PATH> PATH`. */
  ran: string[];
}

/** Publishes an entry, with its own listing of each package. Returns its directory. */
export function publishProbe({ store }: Sandbox, { entry, hasSpare }: Case): string {
  const { name, packages, files } = entry;
  const dir = join(store, 'v1', 'any', `${name}.${'0'.repeat(32)}.0`);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const owners = [...packages].sort((a, b) => b.length - a.length);
  const ownerOf = (path: string) => owners.find((each) => path.startsWith(`${each}/`));
  const listings = packages.map((each) => {
    const own = Object.entries(files).filter(([path]) => ownerOf(path) === each);
    const listed = own.map(
      ([path, text]) => [path.slice(each.length + 1), listedValue(text)] as const,
    );
    return [each, composeListing(listed)] as const;
  });
  const closure = packages.map((path) => ({ path, name: nameOf(path), version: '1.0.0' }));
  const manifest = {
    format: 2,
    feature: name,
    specs: { [name]: '*' },
    closure,
    shared: {},
    private: closure.map((each) => each.name),
    scripts: [],
    abi: 'any',
    tool: 'annex@0.1.0',
  };
  write('package.json', '{"private":true}');
  write('annex-files.txt', composeFiles(Object.fromEntries(listings), {}));
  write('annex-entry.json', JSON.stringify(manifest));
  if (hasSpare) cpSync(dir, dir.replace(/0$/, '1'), { recursive: true });
  return dir;
}

/** The name of a package, given its path. */
export const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** What the program does: `change` only changes, `change and load` does so after the early requests. */
export type Task = 'load' | 'change' | 'change and load' | 'load without annex';

/** Runs observe.mjs over entries. */
export async function observe(
  sandbox: Sandbox,
  cases: readonly Case[],
  dirs: readonly string[],
  task: Task,
): Promise<Seen[]> {
  const isChanging = task.startsWith('change');
  const list = cases.map(({ entry: { requests }, changes, early }, index) => ({
    dir: dirs[index],
    requests,
    ...(isChanging && { changes, early }),
  }));
  const input = sandbox.write('cases.json', list);
  const output = join(sandbox.root, 'results.json');
  const isPlain = task === 'change' || task === 'load without annex';
  const flags = isPlain ? [] : ['--import', sandbox.loader];
  const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'silent' };
  const args = [...flags, 'observe.mjs', input, output, ...(task === 'change' ? ['change'] : [])];
  const { code, signal, stderr } = await sandbox.run(args, { env });
  if (code !== 0) throw new Error(`observe.mjs ended with ${code ?? signal}: ${stderr}`);
  return task === 'change' ? [] : (JSON.parse(readFileSync(output, 'utf8')) as Seen[]);
}
