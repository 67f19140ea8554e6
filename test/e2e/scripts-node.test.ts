/** Install scripts run on the application's Node, and their output must fit it. */
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { shareBinary } from '../support/binary.ts';
import { cjsPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { listEntries, listStaging, lock } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { findNpm } from '../support/npm.ts';
import type { PackageFixture } from '../support/package.ts';
import { findProgram } from '../support/programs.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

/** Writes which Node ran it. */
const REPORT = `
const { spawnSync } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const { stdout } = spawnSync('node', ['-p', 'process.versions.modules'], { encoding: 'utf8' });
writeFileSync('built.json', JSON.stringify({ own: process.versions.modules, found: stdout.trim() }));
`;

/** An addon that registers itself for a version of Node, without Node's headers. */
const ADDON = `
struct node_module { int version; unsigned flags; void *handle; const char *file;
  void *init; void *init_context; const char *name; void *data; struct node_module *link; };
extern void node_module_register(void *);
static void init(void) {}
static struct node_module self = { VERSION, 0, 0, __FILE__, 0, (void *) init, "addon", 0, 0 };
__attribute__((constructor)) static void start(void) { node_module_register(&self); }
`;

const COMPILE = `
const { execFileSync } = require('node:child_process');
const { mkdirSync } = require('node:fs');
const version = require('./package.json').builds ?? process.versions.modules;
mkdirSync('build/Release', { recursive: true });
const flags = ['-shared', '-fPIC', '-DVERSION=' + version];
execFileSync('cc', [...flags, '-o', 'build/Release/addon.node', 'addon.c'], { stdio: 'inherit' });
`;

/** Found before npm's own node-gyp, which would fetch the headers of Node. */
const GYP = 'node_modules/.bin/node-gyp';
const STUB = '#!/bin/sh\necho "$@" > built.txt\n';

function addScript(pkg: PackageFixture, files: Record<string, string>): PackageFixture {
  return { ...pkg, files: { ...pkg.files, ...files } };
}

const compiled = (name: string, builds?: number): PackageFixture =>
  addScript(
    cjsPackage(name, '1.0.0', name, {
      scripts: { install: 'node compile.cjs' },
      ...(builds !== undefined && { builds }),
    }),
    { 'compile.cjs': COMPILE, 'addon.c': ADDON },
  );

const packages = [
  addScript(cjsPackage('reporter', '1.0.0', 'reporter', { scripts: { install: 'node b.cjs' } }), {
    'b.cjs': REPORT,
  }),
  {
    ...addScript(cjsPackage('gyp-only', '1.0.0', 'gyp-only'), { 'binding.gyp': '{}', [GYP]: STUB }),
    modes: { [GYP]: 0o755 },
  },
  addScript(cjsPackage('no-gyp', '1.0.0', 'no-gyp', { gypfile: false }), { 'binding.gyp': '{}' }),
  compiled('fitting'),
  compiled('stale', 83),
];
const names = packages.map(({ name }) => name);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry(packages);
});

describe.each(nodes)('$label', (node) => {
  async function open(scripts = names) {
    const sandbox = await createSandbox({ registry, node: node.path });
    const features = names.map((name) => [
      name,
      { packages: { [name]: '^1.0.0' }, scripts: scripts.filter((one) => one === name) },
    ]);
    sandbox.setCore({ features: Object.fromEntries(features) });
    const writeProgram = (path: string, lines: string): void =>
      chmodSync(sandbox.write(path, `#!/bin/sh\n${lines}\n`), 0o755);
    const load = (name: string, env: Record<string, string> = {}) =>
      importIn(sandbox, [name], { env: { ANNEX_STORE: sandbox.store, ...env } });
    return { sandbox, load, writeProgram };
  }

  test('another Node that is first in PATH runs neither npm nor a script', async () => {
    const { sandbox, load, writeProgram } = await open();
    writeProgram('other/node', 'exit 9');
    const PATH = [join(sandbox.root, 'other'), process.env.PATH].join(delimiter);
    // npm names no package: that of the feature is reported.
    const env = { PATH, npm_config_strict_allow_scripts: 'true' };
    const { imported, stderr } = await load('reporter', env);
    expect(imported.reporter?.marker, stderr).toBe('reporter');
    const [entry = ''] = listEntries(sandbox);
    const built = readFileSync(join(entry, 'node_modules/reporter/built.json'), 'utf8');
    const { stdout } = await sandbox.run(['-p', 'process.versions.modules']);
    expect(JSON.parse(built)).toEqual({ own: stdout.trim(), found: stdout.trim() });
  });

  test('an npm that belongs to another Node gives way to the one beside the Node that runs', async () => {
    const { sandbox, load, writeProgram } = await open();
    for (const name of ['node', 'npm']) writeProgram(`other/${name}`, 'exit 9');
    const own = shareBinary(node.path, join(sandbox.root, 'nodes'));
    writeProgram(join(dirname(own), 'npm'), `exec ${findNpm()} "$@"`);
    const PATH = [join(sandbox.root, 'other'), process.env.PATH].join(delimiter);
    const { imported, stderr } = await importIn(sandbox, ['gyp-only'], {
      node: own,
      env: { ANNEX_STORE: sandbox.store, PATH },
    });
    expect(imported['gyp-only']?.marker, stderr).toBe('gyp-only');
    expect((await load('gyp-only')).stderr).toBe('');
  });

  test('a package with only a binding.gyp has an install script, locked or not', async () => {
    for (const isLocked of [true, false]) {
      const { sandbox, load } = await open();
      if (isLocked) await lock(sandbox, 'gyp-only');
      expect((await load('gyp-only')).imported['gyp-only']?.marker).toBe('gyp-only');
      const [entry = ''] = listEntries(sandbox);
      const built = join(entry, 'node_modules/gyp-only/built.txt');
      expect(readFileSync(built, 'utf8')).toBe('rebuild\n');
    }
  });

  test('a package whose script is not allowed is named; one that turns node-gyp off has no script', async () => {
    const { sandbox } = await open([]);
    const env = { ANNEX_STORE: sandbox.store };
    const { stdout } = await sandbox.annex(['install', 'gyp-only', 'no-gyp', '--json'], { env });
    const [gyp, other] = JSON.parse(stdout).results as { unrun?: string[] }[];
    expect(gyp?.unrun).toEqual(['gyp-only 1.0.0']);
    expect(other?.unrun).toBeUndefined();
  });

  describe.skipIf(findProgram('cc') === undefined)('the output of a script', () => {
    test('is published when it is made for the running Node', async () => {
      const { sandbox, load } = await open();
      expect((await load('fitting')).imported.fitting?.marker).toBe('fitting');
      const [entry = ''] = listEntries(sandbox);
      expect(existsSync(join(entry, 'node_modules/fitting/build/Release/addon.node'))).toBe(true);
    });

    test('is refused, with both versions, when it is made for another', async () => {
      const { sandbox, load } = await open();
      const { imported } = await load('stale');
      const reason =
        /an install script of stale built node_modules\/stale\/build\/Release\/addon\.node for NODE_MODULE_VERSION 83, and this Node has \d+/;
      expectRefused(imported.stale, 'ANNEX_INSTALL_FAILED', reason);
      expect(listEntries(sandbox)).toEqual([]);
      expect(listStaging(sandbox)).toEqual([]);
    });
  });
});
