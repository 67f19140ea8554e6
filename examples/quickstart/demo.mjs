// Runs the example application in temporary directories and checks what annex promises; exits with 1 if a check fails.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const repository = dirname(dirname(here));
const cli = join(repository, 'dist', 'cli', 'main.js');

const world = realpathSync(mkdtempSync(join(tmpdir(), 'annex-demo-')));
const core = join(world, 'app');
const volume = join(world, 'volume');
const store = join(volume, 'annex');

/** Environment of a sealed application with a store on a volume, and this machine's npm settings. */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ANNEX_|NODE_OPTIONS$)/.test(name)),
  ),
  ANNEX_STORE: store,
  ANNEX_SEALED: '1',
};
/** The same environment with an unreachable registry. */
const offline = { ...environment, npm_config_registry: 'http://127.0.0.1:9/' };

function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes a package whose default export names its origin. */
function writePackage(dir, version, origin) {
  writeJson(join(dir, 'package.json'), {
    name: 'greeter',
    version,
    type: 'module',
    exports: './index.js',
  });
  writeFileSync(join(dir, 'index.js'), `export default ${JSON.stringify(origin)};\n`);
}

/** Lists a directory and every path below it, without following links. */
function walk(path) {
  if (!lstatSync(path).isDirectory()) return [path];
  return [
    path,
    ...readdirSync(path)
      .sort()
      .flatMap((name) => walk(join(path, name))),
  ];
}

/** Sets the mode of every directory and file of a tree, except links. */
function changeModes(dir, modeOf) {
  for (const path of walk(dir)) {
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink()) chmodSync(path, modeOf(stat));
  }
}

/** Digest of the names, modes and contents of a tree. */
function digest(dir) {
  const hash = createHash('sha256');
  for (const path of walk(dir)) {
    const stat = lstatSync(path);
    const content = stat.isFile()
      ? readFileSync(path)
      : stat.isSymbolicLink()
        ? readlinkSync(path)
        : '';
    hash.update(`${path}\0${stat.mode}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

function title(text) {
  console.log(`\n== ${text}`);
}

/** Runs node, prints its output and the time it took. */
function run(shown, args, env = environment) {
  console.log(`$ ${shown}`);
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: core,
    env,
    encoding: 'utf8',
  });
  const seconds = (performance.now() - start) / 1000;
  for (const line of `${stderr}${stdout}`.trimEnd().split('\n')) console.log(`  ${line}`);
  console.log(`  (${seconds.toFixed(2)} s, exit code ${status})`);
  return { status, stdout, stderr, seconds };
}

function prepare() {
  mkdirSync(volume);
  cpSync(join(here, 'app.mjs'), join(core, 'app.mjs'));
  const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  // Declared and shipped, so that annex would search the store if the shipped copy did not win.
  manifest.annex.features.greeter = '^1.0.0';
  manifest.dependencies.greeter = '^1.0.0';
  writeJson(join(core, 'package.json'), manifest);
  writePackage(join(core, 'node_modules', 'greeter'), '1.0.0', 'core');
  writeFileSync(
    join(core, 'greet.mjs'),
    "import 'annex/register';\nconsole.log((await import('greeter')).default);\n",
  );
  symlinkSync(repository, join(core, 'node_modules', 'annex'));
  changeModes(core, (stat) => (stat.isDirectory() ? 0o555 : 0o444));
}

function showFirstRun() {
  title('First run: exa-js is declared but missing; the import installs it');
  const first = run('node app.mjs', ['app.mjs']);
  assert.equal(first.status, 0, 'the first run needs the registry that npm is configured for');
  assert.match(first.stderr, /annex: installing exa-js/);
  assert.ok(first.stdout.includes(`exa-js: ${store}`), 'exa-js comes from the store');
  return first;
}

function showSecondRun(first) {
  title('Second run, without a reachable registry: no output from annex, no requests');
  const second = run('npm_config_registry=http://127.0.0.1:9/ node app.mjs', ['app.mjs'], offline);
  assert.equal(second.status, 0, 'the second run needs no network');
  assert.doesNotMatch(second.stderr, /annex/, 'annex prints nothing in the second run');
  assert.equal(second.stdout, first.stdout, 'it loads the same file as the first run');
  assert.ok(second.seconds < first.seconds, 'the second run is faster');
  console.log(`first ${first.seconds.toFixed(2)} s, second ${second.seconds.toFixed(2)} s`);
}

/** Plants three copies of a shipped package: a valid entry of the store, one in node_modules, and a package.json with its name. */
function plantShadows() {
  const entry = join(store, 'v1', 'any', `greeter.${'0'.repeat(32)}.0`);
  const closure = [{ path: 'node_modules/greeter', name: 'greeter', version: '1.9.9' }];
  const specs = { greeter: '^1.0.0' };
  writePackage(join(entry, 'node_modules', 'greeter'), '1.9.9', 'an attacker');
  writeJson(join(entry, 'package.json'), { private: true });
  writeJson(join(entry, 'annex-entry.json'), {
    format: 2,
    feature: 'greeter',
    specs,
    closure,
    shared: {},
    private: ['greeter'],
    scripts: [],
    abi: 'any',
    tool: 'none',
  });
  const greeter = join(entry, 'node_modules', 'greeter');
  const listing = readdirSync(greeter).map((name) => {
    const text = readFileSync(join(greeter, name));
    const hash = createHash('sha256').update(text).digest('hex');
    return `${hash} ${text.length}\t${name}\n`;
  });
  const head = 'annex-files 2\nnode_modules/greeter\n';
  writeFileSync(join(entry, 'annex-files.txt'), head + listing.join(''));
  writePackage(join(volume, 'node_modules', 'greeter'), '1.9.9', 'an attacker');
  writePackage(volume, '1.9.9', 'an attacker');
  for (const path of [entry, join(volume, 'node_modules', 'greeter'), volume])
    console.log(`  planted in ${path}`);
}

function showShadows() {
  title('An attacker who can write to the volume plants greeter, which the application ships');
  plantShadows();
  const greeting = run('node greet.mjs', ['greet.mjs'], offline);
  assert.equal(greeting.status, 0);
  assert.equal(greeting.stdout, 'core\n', "the application's own copy runs");
  const why = run('annex why greeter', [cli, 'why', 'greeter'], offline);
  assert.match(why.stdout, /^rule 4: /m);
  assert.ok(why.stdout.startsWith(`found ${join(core, 'node_modules', 'greeter', 'index.js')}`));
}

/** Without its own copy the same application loads the planted entry, so the attack above was real. */
function showControl() {
  title('Control: the same application without its own greeter loads the planted one');
  const bare = join(world, 'bare');
  cpSync(core, bare, { recursive: true, verbatimSymlinks: true });
  changeModes(bare, (stat) => stat.mode | 0o700);
  rmSync(join(bare, 'node_modules', 'greeter'), { recursive: true });
  const greeting = run('node ../bare/greet.mjs', [join(bare, 'greet.mjs')], offline);
  assert.equal(greeting.stdout, 'an attacker\n', 'the planted entry is valid');
}

function showCore(before) {
  title("Names, modes and bytes of the application's directory");
  const after = digest(core);
  console.log(`  before ${before}\n  after  ${after}`);
  assert.equal(after, before, 'the application is unchanged');
  assert.equal(run('annex list', [cli, 'list'], offline).status, 0);
}

try {
  console.log(`application ${core} (read-only), store ${store}`);
  prepare();
  const before = digest(core);
  showSecondRun(showFirstRun());
  showShadows();
  showControl();
  showCore(before);
  console.log('\nall checks passed');
} catch (error) {
  console.error(`\nFAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  changeModes(world, (stat) => stat.mode | 0o700);
  rmSync(world, { recursive: true, force: true });
}
