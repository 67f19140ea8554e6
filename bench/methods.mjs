/** Every way to install a feature: the files in the application, the command, and the cache. */
import { join } from 'node:path';
import { ROOT } from './setting.mjs';

/**
 * @typedef {object} Place directories and settings of one run; all are fresh except a warm cache
 * @property {string} app the application's directory, and the working directory
 * @property {string} cache the tool's cache: empty or filled
 * @property {string} store the store of annex
 * @property {string} url of the registry; the application's .npmrc names it too
 * @property {string} list file with the tarballs for the floor
 * @property {string} name of the feature and its package
 * @property {string} spec `name@range`
 * @property {Record<string, { argv: string[] }>} tools
 *
 * @typedef {object} Method
 * @property {string} label
 * @property {string} tool the tool it needs
 * @property {string} [from] the method whose first run makes the lock and fills the cache
 * @property {boolean} [isWarm] the cache is filled
 * @property {boolean} [isLocked] the application has the tool's lock
 * @property {string} [only] the only feature it runs for
 * @property {boolean} [isImport] measured until the program's first line after its import
 * @property {Record<string, string>} [annex] contents of the operator's file
 * @property {(place: Place) => string[]} argv
 * @property {(place: Place) => Record<string, string>} [env]
 */

const NPM = ['--ignore-scripts', '--no-audit', '--no-fund'];
const ANNEX = join(ROOT, 'dist/cli/main.js');
const LOADER = new URL('../loader.mjs', import.meta.url).href;
const NO_SYNC = { durability: 'none' };

const npmEnv = ({ cache }) => ({ npm_config_cache: cache, npm_config_update_notifier: 'false' });
const bunEnv = ({ cache }) => ({ BUN_INSTALL_CACHE_DIR: cache, DO_NOT_TRACK: '1' });
const denoEnv = ({ cache, url }) => ({
  DENO_DIR: cache,
  DENO_NO_UPDATE_CHECK: '1',
  NPM_CONFIG_REGISTRY: url,
});
const annexEnv = (place) => ({ ...npmEnv(place), ANNEX_STORE: place.store });
const pnpmArgs = ({ cache }) => [
  '--ignore-scripts',
  `--store-dir=${join(cache, 'store')}`,
  `--cache-dir=${join(cache, 'metadata')}`,
];

const annex = (label, more) => ({
  label,
  tool: 'node',
  argv: ({ tools, name }) => [...tools.node.argv, ANNEX, 'install', name],
  env: annexEnv,
  annex: {},
  ...more,
});
const npm = (label, args, more) => ({
  label,
  tool: 'npm',
  argv: (place) => [...place.tools.npm.argv, ...args(place), ...NPM],
  env: npmEnv,
  from: 'npm-install',
  ...more,
});
const pnpm = (tool, label, args, more) => ({
  label,
  tool,
  argv: (place) => [...place.tools[tool].argv, ...args(place), ...pnpmArgs(place)],
  from: `${tool === 'pnpm10' ? 'pnpm' : 'pnpm12'}-add`,
  ...more,
});
const bun = (label, args, more) => ({
  label,
  tool: 'bun',
  argv: (place) => [...place.tools.bun.argv, ...args(place)],
  env: bunEnv,
  from: 'bun-add',
  ...more,
});
const deno = (label, args, more) => ({
  label,
  tool: 'deno',
  argv: (place) => [...place.tools.deno.argv, ...args(place)],
  env: denoEnv,
  from: 'deno-add',
  ...more,
});

const IMPORT = { only: 'exa-js', isImport: true };
const importAnnex = {
  ...IMPORT,
  isLocked: true,
  argv: ({ tools }) => [...tools.node.argv, '--import', LOADER, 'app.mjs'],
};
const isWarm = true;
const isLocked = true;
const add = ({ spec }) => ['add', spec];
const frozen = () => ['install', '--frozen-lockfile'];
const addDeno = ({ spec }) => ['add', `npm:${spec}`];

/** @type {Record<string, Method>} methods in the order of the table */
export const METHODS = {
  'annex-lock': annex('annex, locked', { isLocked }),
  'annex-lock-none': annex('annex, locked, no sync', { isLocked, annex: NO_SYNC }),
  'annex-none': annex('annex, no lock, no sync', { annex: NO_SYNC }),
  'npm-install': npm('npm install', ({ spec }) => ['install', spec]),
  'npm-install-warm': npm('npm install', ({ spec }) => ['install', spec], { isWarm }),
  'npm-ci': npm('npm ci', () => ['ci'], { isLocked }),
  'npm-ci-warm': npm('npm ci', () => ['ci'], { isLocked, isWarm }),
  'pnpm-add': pnpm('pnpm10', 'pnpm 10 add', add),
  'pnpm-frozen': pnpm('pnpm10', 'pnpm 10 frozen', frozen, { isLocked }),
  'pnpm-frozen-warm': pnpm('pnpm10', 'pnpm 10 frozen', frozen, { isLocked, isWarm }),
  'pnpm12-add': pnpm('pnpm', 'pnpm 12 add', add),
  'pnpm12-frozen-warm': pnpm('pnpm', 'pnpm 12 frozen', frozen, { isLocked, isWarm }),
  'bun-add': bun('bun add', (place) => [...add(place), '--ignore-scripts']),
  'bun-frozen': bun('bun frozen', () => [...frozen(), '--ignore-scripts'], { isLocked }),
  'bun-frozen-warm': bun('bun frozen', () => [...frozen(), '--ignore-scripts'], {
    isLocked,
    isWarm,
  }),
  'deno-add': deno('deno add', addDeno),
  'deno-frozen': deno('deno frozen', () => ['install', '--frozen'], { isLocked }),
  'deno-frozen-warm': deno('deno frozen', () => ['install', '--frozen'], { isLocked, isWarm }),
  floor: {
    label: 'floor',
    tool: 'node',
    argv: ({ tools, list, app }) => [...tools.node.argv, join(ROOT, 'bench/floor.mjs'), list, app],
  },
  'import-annex': annex('import, annex, locked', importAnnex),
  'import-annex-none': annex('import, annex, locked, no sync', { ...importAnnex, annex: NO_SYNC }),
  'import-bun': bun('import, bun', () => ['run', '--install=fallback', 'app.mjs'], IMPORT),
  'import-deno': deno('import, deno', () => ['run', '--allow-all', 'app.deno.mjs'], IMPORT),
};
