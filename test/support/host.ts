/** Real applications whose hosts load declared backends: locked, built, sealed, and run as a user that is not root. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readMachineEnvironment } from './machine.ts';
import { packRepository, repositoryRoot } from './package.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { asPlainUser, giveTo } from './user.ts';

/** A sealed application with one or more hosts. */
export interface Application {
  /** Packages that it ships, with their ranges. */
  ships: Record<string, string>;
  /** Packages that only its build needs. */
  builds?: Record<string, string>;
  /** Versions that npm installs instead of those that packages ask for. */
  overrides?: Record<string, string>;
  /** The `annex` key of its package.json. */
  annex: { features: Record<string, unknown>; importers?: string[] };
  /** Files by path. */
  files?: Record<string, string>;
  /** Commands that build it. */
  build?: string[];
  /** The directory that is shipped after the build; the whole application by default. */
  output?: string;
  hosts: Record<string, Host>;
}

/** A program of an application: what it loads, and how it fails. */
export interface Host {
  /** The feature that it loads. */
  feature: string;
  /** An ES module that calls `report` with a function that uses the backend. */
  program?: string;
  /** Its working directory, relative to the application. */
  cwd?: string;
  /** Arguments of Node after the preload; the program by default. */
  start?: string[];
  /** A server is started: the path of the request whose response is the report. */
  asks?: string;
  /** Variables; `VOLUME` in a value is a directory that the user can write. */
  env?: Record<string, string>;
  /** What only the backend can give. */
  loaded: unknown;
  /** Its output without the backend. */
  absent: RegExp;
  /** The host replaces the error or ends the process: only the line on stderr has the reason. */
  isReplaced?: true;
  /** The oldest major version of Node that it runs on; 20 by default. */
  oldest?: number;
}

/** Prints what a function returns; or the error that it throws, without what annex added, and the code of its cause. */
const REPORT = `export async function describe(run) {
  try {
    return JSON.stringify({ loaded: await run() });
  } catch (error) {
    let cause = error;
    while (cause && !String(cause.code).startsWith('ANNEX_')) cause = cause.cause;
    const failed = error.message.replace(/\\n*annex: .*/g, '');
    return JSON.stringify({ failed, code: error.code, cause: cause?.code });
  }
}
export const report = async (run) => console.log(await describe(run));
`;

/** A preload that makes the server of its process use a free port, asks it once, prints the response and exits. */
const ASK = `import { Server } from 'node:net';
const { listen } = Server.prototype;
Server.prototype.listen = function (first, ...rest) {
  this.once('listening', async () => {
    const response = await fetch('http://127.0.0.1:' + this.address().port + process.env.ASK);
    process.stdout.write((await response.text()).trim() + '\\n', () => process.exit());
  });
  const port = typeof first === 'object' ? { ...first, port: 0 } : 0;
  return listen.call(this, port, ...rest);
};
`;

/** What a program reports. */
interface Seen {
  loaded?: unknown;
  failed?: string;
  code?: string;
  cause?: string;
}

/** Milliseconds of one command, for those that hang. */
const LIMIT = 3_600_000;
const FLAGS = '--no-audit --no-fund --no-update-notifier --prefer-offline';
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'annex-dev', 'npm');
/** Variables for the real registry; HOME belongs to the user of the tests. */
const { HOME: _, ...MACHINE } = readMachineEnvironment();
const annex = packRepository();

/** Reasons of a denial, and the variables that lead to it. */
const DENIALS: Record<string, Record<string, string>> = {
  'installs are switched off by ANNEX_ALLOW_INSTALLS': {
    ANNEX_STORE: 'VOLUME/none',
    ANNEX_ALLOW_INSTALLS: 'false',
  },
  'the core is sealed and there is no store': {},
};

const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
const matrix = execFileSync(process.execPath, [script], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((line) => line.split(' ') as [version: string, path: string]);
/** The oldest Node from a major version on, and the newest; each with one denial. Node 20 resolves imports in another thread. */
export const listNodes = (oldest = 20) => {
  const first = matrix.find(([version]) => Number.parseInt(version, 10) >= oldest);
  return [first, matrix.at(-1)].map((node, at) => {
    const [version = '', path = ''] = node ?? [];
    const [reason, denial] = Object.entries(DENIALS)[at] ?? [];
    return { version, path, reason, denial };
  });
};

const slugOf = (name: string): string => name.replaceAll(/\W+/g, '-');

/** An application with its packages and annex installed, and a function that runs a command line in it. */
export async function install({
  ships,
  builds,
  overrides,
  annex: declaration,
  files,
}: Omit<Application, 'hosts'>) {
  const sandbox = await createSandbox({ linkAnnex: false });
  const env = { ...readMachineEnvironment(), npm_config_cache: CACHE };
  const run = async (line: string): Promise<void> => {
    const { code, stdout, stderr } = await sandbox.exec('sh', ['-c', line], {
      env,
      timeout: LIMIT,
    });
    expect(code, `${line}: ${stdout}${stderr}`).toBe(0);
  };
  writeFileSync(join(sandbox.root, 'annex.tgz'), annex.tarball ?? '');
  const dependencies = { ...ships, annex: 'file:../annex.tgz' };
  sandbox.setCore(declaration, { dependencies, devDependencies: builds, overrides });
  for (const [path, text] of Object.entries(files ?? {})) sandbox.write(`app/${path}`, text);
  await run(`npm install ${FLAGS}`);
  return { sandbox, run };
}

/** Installs an application, locks its features, builds it, and makes it read-only. */
async function open(application: Application): Promise<Sandbox> {
  const { builds, build = [], output, hosts } = application;
  const programs = Object.entries(hosts).flatMap(([name, { program }]) =>
    program === undefined ? [] : [[`${slugOf(name)}.mjs`, program] as const],
  );
  const files = { 'report.mjs': REPORT, ...application.files, ...Object.fromEntries(programs) };
  const { sandbox, run } = await install({ ...application, files });
  for (const line of ['annex lock', ...build]) {
    await run(`PATH="$PWD/node_modules/.bin:$PATH"; ${line}`);
  }
  if (builds !== undefined) await run(`npm prune --omit=dev ${FLAGS}`);
  if (output !== undefined) {
    await run(`mv ${output} ../shipped && cd .. && rm -r app && mv shipped app`);
  }
  await run('chmod -R a-w,a+rX .');
  sandbox.write('ask.mjs', ASK);
  const npmrc = join(homedir(), '.npmrc');
  if (existsSync(npmrc)) copyFileSync(npmrc, join(sandbox.home, '.npmrc'));
  giveTo(asPlainUser, join(sandbox.root, 'volume'));
  return sandbox;
}

/** Two tests of each host on two versions of Node: its backend is installed and loaded; and it is denied. */
export function testApplication(application: Application): void {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await open(application);
  });

  describe.each(Object.entries(application.hosts))('%s', (name, host) => {
    const { feature, cwd = '', start = [`${slugOf(name)}.mjs`], asks, env, loaded, absent } = host;

    const use = async (node: string, isPlain: boolean, variables: Record<string, string> = {}) => {
      const volume = join(sandbox.root, 'volume');
      const set = Object.entries({ ANNEX_SEALED: 'true', ...env, ...variables });
      const preloads = [
        ...(isPlain ? [] : ['annex/loader.mjs']),
        ...(asks === undefined ? [] : [join(sandbox.root, 'ask.mjs')]),
      ];
      const run = await sandbox.run([...preloads.flatMap((file) => ['--import', file]), ...start], {
        ...asPlainUser,
        node,
        cwd: join(sandbox.core, cwd),
        timeout: LIMIT,
        env: {
          ASK: asks,
          ...Object.fromEntries(set.map(([key, value]) => [key, value.replace('VOLUME', volume)])),
        },
      });
      const line = run.stdout.split('\n').findLast((text) => text.startsWith('{'));
      return { ...run, seen: (line === undefined ? {} : JSON.parse(line)) as Seen };
    };

    describe.each(listNodes(host.oldest))('Node $version', ({ version, path, reason, denial }) => {
      test('the backend is installed at first use, and then loads without a registry', async () => {
        const store = { ANNEX_STORE: `VOLUME/${slugOf(name)}-${version}` };
        const first = await use(path, false, { ...MACHINE, ...store });
        expect(first.seen, first.stderr).toEqual({ loaded });
        expect(first.stderr).toMatch(/^annex: installed /m);
        const nowhere = { npm_config_registry: 'http://127.0.0.1:9' };
        const again = await use(path, false, { ...nowhere, ...store });
        expect(again.seen, again.stderr).toEqual({ loaded });
        expect(again.stderr).not.toContain('annex: ');
      });

      test('without the backend, the host fails as without annex, with the reason', async () => {
        const plain = await use(path, true);
        expect(plain.stdout + plain.stderr).toMatch(absent);
        const denied = await use(path, false, denial);
        const cause = host.isReplaced ? undefined : 'ANNEX_DENIED';
        expect(denied.seen, denied.stderr).toEqual({ ...plain.seen, cause });
        expect(denied.code).toBe(plain.code);
        expect(denied.stderr).toContain(`annex: ${feature} unavailable (ANNEX_DENIED): ${reason}`);
      });
    });
  });
}
