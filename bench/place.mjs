/** Creates the directories of each run, keeps locks and filled caches, and checks the result of a run. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { measure } from './measure.mjs';
import { METHODS } from './methods.mjs';
import { FEATURES, ROOT } from './setting.mjs';

/**
 * @param {{ base: string, url: string, tools: Record<string, { argv: string[] }> }} world
 */
export function createPlaces({ base, url, tools }) {
  let count = 0;
  const kept = (kind, id, name) => join(base, kind, id, encodeURIComponent(name));
  const listFile = (name) => `${kept('lists', 'floor', name)}.json`;

  /** Creates a fresh directory for one run of a method. */
  const lay = (id, name, primed) => {
    const { isWarm, isLocked, from = id, annex } = METHODS[id];
    const home = join(base, 'runs', String(count++));
    const app = join(home, 'app');
    const lock = kept('locks', annex ? 'annex-lock' : from, name);
    mkdirSync(app, { recursive: true });
    writeFileSync(join(app, '.npmrc'), `registry=${url}/\n`);
    const features = { [name]: FEATURES[name] };
    const manifest = { name: 'app', version: '1.0.0', private: true };
    write(app, 'package.json', { ...manifest, ...(annex && { annex: { features } }) });
    writeFileSync(join(app, 'check.mjs'), `await import('${name}');\n`);
    writeFileSync(join(app, 'app.mjs'), program(name));
    writeFileSync(join(app, 'app.deno.mjs'), program(`npm:${name}@${FEATURES[name]}`));
    if (id === 'import-bun') write(app, 'package.json', { ...manifest, dependencies: features });
    // Beside a package.json Deno would look for a node_modules.
    if (id === 'import-deno') rmSync(join(app, 'package.json'));
    if (isLocked) cpSync(lock, app, { recursive: true });
    if (annex) write(home, 'operator.json', annex);
    const cache = (isWarm ? kept('caches', from, name) : primed) ?? join(home, 'cache');
    const spec = `${name}@${FEATURES[name]}`;
    return {
      home,
      app,
      cache,
      store: join(home, 'store'),
      url,
      list: listFile(name),
      name,
      spec,
      tools,
    };
  };

  const environment = ({ argv: _, env, annex }, place) => ({
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: place.home,
    npm_config_globalconfig: join(place.home, 'none'),
    ...(annex && { ANNEX_CONFIG: join(place.home, 'operator.json') }),
    ...env?.(place),
  });

  /** Runs a method once, in fresh directories. `primed`: the cache to fill. */
  const run = async (id, name, primed) => {
    const method = METHODS[id];
    const place = lay(id, name, primed);
    const result = await measure({
      argv: method.argv(place),
      cwd: place.app,
      env: environment(method, place),
      log: join(place.home, 'log.txt'),
      untilLine: method.isImport === true,
    });
    return { ...result, place };
  };

  /** Makes a lock and fills a cache with the first run of the method that others refer to. */
  const prime = async (id, name) => {
    const { place } = await run(id, name, kept('caches', id, name));
    const keep = (path) => path !== join(place.app, 'node_modules');
    cpSync(place.app, kept('locks', id, name), { recursive: true, filter: keep });
    if (id === 'npm-install')
      write(dirname(listFile(name)), `${encodeURIComponent(name)}.json`, listOf(place.app));
  };

  /** Makes annex's lock. */
  const lockAnnex = async (name) => {
    const place = lay('annex-none', name);
    const env = environment(METHODS['annex-none'], place);
    const argv = [process.execPath, join(ROOT, 'dist/cli/main.js'), 'lock'];
    await measure({ argv, cwd: place.app, env, log: join(place.home, 'log.txt') });
    cpSync(place.app, kept('locks', 'annex-lock', name), { recursive: true });
  };

  /** Imports the installed package with plain Node. */
  const check = async (id, place) => {
    const { annex, isImport } = METHODS[id];
    if (isImport) return;
    const hook = annex ? ['--import', join(ROOT, 'loader.mjs')] : [];
    const env = { PATH: process.env.PATH, ANNEX_STORE: place.store, ANNEX_ALLOW_INSTALLS: 'false' };
    const argv = [process.execPath, ...hook, 'check.mjs'];
    await measure({ argv, cwd: place.app, env, log: join(place.home, 'check.txt') });
  };

  /** Version and number of packages of a feature. */
  const describe = (name) => {
    const list = JSON.parse(readFileSync(listFile(name), 'utf8'));
    const { url: tarball } = list.find(({ path }) => path === `node_modules/${name}`);
    return { version: /-([^-]+)\.tgz$/.exec(tarball)[1], packages: list.length };
  };

  /** Removes the directories of the runs so far, but keeps locks and caches. */
  const sweep = () => rmSync(join(base, 'runs'), { recursive: true, force: true });

  return { run, sweep, prime, lockAnnex, check, describe };
}

const program = (specifier) =>
  `const found = await import('${specifier}');\nconsole.log(Object.keys(found).length);\n`;

function write(directory, file, value) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, file), JSON.stringify(value));
}

/** Lists the packages that npm installed, from its own hidden lockfile. */
function listOf(app) {
  const file = join(app, 'node_modules/.package-lock.json');
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(packages).map(([path, { resolved, integrity }]) => ({
    path,
    url: resolved,
    integrity,
  }));
}

/** Lists every file below a node_modules with its digest, except files that tools write for themselves. */
export function digestFiles(modules) {
  const files = readdirSync(modules, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name !== '.package-lock.json')
    .map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
      return `${path.slice(modules.length + 1)} ${digest}`;
    })
    .sort();
}

/** Finds the node_modules of the only entry in a store. */
export function findEntryModules(store) {
  const version = join(store, 'v1');
  for (const abi of readdirSync(version)) {
    if (['staging', 'locks', 'failures', 'retired'].includes(abi)) continue;
    for (const entry of readdirSync(join(version, abi))) {
      const modules = join(version, abi, entry, 'node_modules');
      if (existsSync(modules)) return modules;
    }
  }
  throw new Error(`no entry in ${store}`);
}
