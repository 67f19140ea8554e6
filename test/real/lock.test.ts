/** Real packages from the real registry, locked for a core that ships an old axios and an old zod, and used from the lock. */
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { beforeAll, expect, test } from 'vitest';
import { BACKENDS, fileOf } from '../support/backends.ts';
import { shareBinary } from '../support/binary.ts';
import { listEntries, readLock } from '../support/lock-files.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox, type RunResult, type Sandbox } from '../support/sandbox.ts';

type Ranges = Record<string, string>;
interface LockedPackage {
  dependencies?: Ranges;
  optionalDependencies?: Ranges;
  peerDependencies?: Ranges;
  version: string;
}

const OLD: Ranges = { axios: '1.6.0', zod: '3.22.0' };
/** The packages of the core that a feature does not fit. */
const UNFIT: Record<string, string[]> = {
  'exa-js': ['zod'],
  '@mendable/firecrawl-js': ['axios', 'zod'],
  '@larksuiteoapi/node-sdk': ['axios'],
  '@slack/web-api': ['axios'],
  openai: ['zod'],
};
const NAMES = Object.keys(BACKENDS);
const slugOf = (name: string): string => name.replace('@', '').replaceAll('/', '-');

let sandbox: Sandbox;
let lone: string;
let locking: RunResult;
let lockedFirst: string[];

const options = () => ({
  env: { ...readMachineEnvironment(), ANNEX_STORE: sandbox.store },
  timeout: 900_000,
});

/** Runs a program of the core with Node alone. */
const use = (args: string[]): Promise<RunResult> => {
  const { env, timeout } = options();
  const bare = { ...env, PATH: '/nowhere' };
  return sandbox.run(['--import', sandbox.loader, ...args], { env: bare, timeout, node: lone });
};

function declare(conflicts: 'fail' | 'nest'): void {
  const ranges = Object.entries(BACKENDS).map(([name, { range }]) => [name, range]);
  sandbox.setCore({ features: Object.fromEntries(ranges), conflicts }, { dependencies: OLD });
}

beforeAll(async () => {
  sandbox = await createSandbox({ linkAnnex: false });
  lone = shareBinary(process.execPath, join(sandbox.root, 'nodes'));
  declare('fail');
  const args = ['install', '--no-package-lock', '--ignore-scripts', '--no-audit'];
  const shipped = await sandbox.exec('npm', args, options());
  expect(shipped.code, shipped.stderr).toBe(0);
  // npm would have removed it.
  symlinkSync(repositoryRoot, join(sandbox.core, 'node_modules', 'annex'));
  for (const [name, { program }] of Object.entries(BACKENDS)) {
    sandbox.write(`app/${fileOf(name)}`, program);
  }
  locking = await sandbox.annex(['lock', '--json'], options());
  lockedFirst = readdirSync(join(sandbox.core, 'annex'));
  declare('nest');
  const nested = await sandbox.annex(['lock'], options());
  expect(nested.code, nested.stderr).toBe(0);
});

test('with "fail", features that do not fit the core are conflicts and not locked; the others are locked', () => {
  const { results } = JSON.parse(locking.stdout) as {
    results: { feature: string; outcome: string }[];
  };
  expect(results.map(({ feature, outcome }) => [feature, outcome])).toEqual(
    NAMES.map((name) => [name, name in UNFIT ? 'failed' : 'locked']),
  );
  expect(locking.code).toBe(1);
  const fit = NAMES.filter((name) => !(name in UNFIT));
  expect(new Set(lockedFirst)).toEqual(new Set(fit.map(slugOf)));
});

test('every dependency that does not fit is in the tables, with both versions', () => {
  const expected = Object.entries(UNFIT).flatMap(([name, dependencies]) => {
    const packages = readLock(sandbox, slugOf(name)).packages as Record<string, LockedPackage>;
    const rows = Object.entries(packages).flatMap(([path, locked]) => {
      const { dependencies: own, peerDependencies, optionalDependencies, version } = locked;
      const dependent = `${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version}`;
      return Object.entries({ ...peerDependencies, ...own, ...optionalDependencies })
        .filter(([to, range]) => to in OLD && !semver.satisfies(OLD[to] ?? '', range))
        .map(([to, range]) => (path === '' ? '' : `${dependent}  ${to}  ${range}  core ${OLD[to]}`))
        .filter((row) => row !== '');
    });
    expect(rows.map((row) => row.split('  ')[1])).toEqual(expect.arrayContaining(dependencies));
    return rows;
  });
  const rows = locking.stderr.split('\n').flatMap((line) => {
    const [dependent, dependency, range, , found, ...none] = line.split(/ {2,}/);
    const isRow = found !== undefined && none.length === 0 && found !== 'found';
    return isRow ? [[dependent, dependency, range, found].join('  ')] : [];
  });
  expect(rows.sort()).toEqual(expected.sort());
});

test.each(NAMES)('%s: installed from its lock with no npm at hand, and used', async (name) => {
  const { code, stdout, stderr } = await use([fileOf(name)]);
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: `${BACKENDS[name]?.prints}\n` });
});

test("the core uses its own axios and zod, a feature its own, and shares core's other packages", async () => {
  sandbox.write(
    'app/where.mjs',
    `import { createRequire } from 'node:module';
     const pairs = JSON.parse(process.argv[2]);
     const find = ([from, name]) => createRequire(from).resolve(name);
     console.log(JSON.stringify(pairs.map(find)));`,
  );
  const entries = listEntries(sandbox);
  const pairs: [from: string, name: string, inside: string][] = Object.keys(OLD).map((name) => [
    join(sandbox.core, 'where.mjs'),
    name,
    join(sandbox.core, 'node_modules', name),
  ]);
  for (const name of NAMES) {
    const slug = slugOf(name);
    const entry = entries.find((dir) => dir.includes(`/${slug}.`)) ?? '';
    const { sidecar, packages } = readLock(sandbox, slug);
    for (const [path, locked] of Object.entries(packages as Record<string, LockedPackage>)) {
      if (path === '' || !existsSync(join(entry, path))) continue;
      const own = Object.keys(locked.dependencies ?? {});
      const from = join(entry, path, 'package.json');
      const taken = own.filter((to) => to in sidecar.shared);
      for (const to of taken) pairs.push([from, to, join(sandbox.core, 'node_modules', to)]);
      for (const to of own.filter((to) => to in OLD)) pairs.push([from, to, entry]);
    }
  }
  const names = new Set(pairs.map(([, name]) => name));
  expect([...names]).toEqual(expect.arrayContaining(['axios', 'zod', 'follow-redirects']));
  const { stdout, stderr } = await use(['where.mjs', JSON.stringify(pairs)]);
  expect(stderr).toBe('');
  for (const [index, path] of (JSON.parse(stdout) as string[]).entries()) {
    const [from, name, inside] = pairs[index] ?? [];
    expect({ from, name, path, isThere: path.startsWith(`${inside}/`) }).toMatchObject({
      isThere: true,
    });
  }
  for (const [name, version] of Object.entries(OLD)) {
    const path = join(sandbox.core, 'node_modules', name, 'package.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version });
  }
});

test('npm ci and npm sbom work in the locked projects, and annex sbom over all of them', async () => {
  const projects = join(sandbox.root, 'projects');
  cpSync(join(sandbox.core, 'annex'), projects, { recursive: true });
  const components = new Set<string>();
  const read = (text: string) =>
    (JSON.parse(text) as { components: { name: string; purl?: string }[] }).components;
  const list = (text: string): string[] => read(text).flatMap(({ purl }) => purl ?? []);
  const check = async (name: string): Promise<void> => {
    const cwd = join(projects, slugOf(name));
    const npm = (...args: string[]) => sandbox.exec('npm', args, { ...options(), cwd });
    const installed = await npm('ci', '--ignore-scripts', '--no-audit', '--no-fund');
    expect(installed.code, installed.stderr).toBe(0);
    expect(existsSync(join(cwd, 'node_modules', name))).toBe(true);
    const printed = await npm('sbom', '--sbom-format=cyclonedx');
    expect(printed.code, printed.stderr).toBe(0);
    for (const purl of list(printed.stdout)) components.add(purl);
  };
  const lanes = [0, 1, 2].map((lane) => NAMES.filter((_, index) => index % 3 === lane));
  await Promise.all(
    lanes.map(async (names) => {
      for (const name of names) await check(name);
    }),
  );
  const whole = await sandbox.annex(['sbom'], options());
  expect(whole.code, whole.stderr).toBe(0);
  // A feature is no package that somebody could publish.
  const features = read(whole.stdout).filter(({ purl }) => purl === undefined);
  const expected = NAMES.map((name) => `annex-${slugOf(name)}`);
  expect(new Set(features.map(({ name }) => name))).toEqual(new Set(expected));
  expect(list(whole.stdout).filter((purl) => !components.has(purl))).toEqual([]);
});
