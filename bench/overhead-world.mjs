/** Creates the applications, entries and programs that bench:overhead runs. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillStores, MORE_FEATURES } from './large-store.mjs';
import { writeModules } from './many-modules.mjs';
import { FEATURES, ONE_FILE } from './setting.mjs';

/** The eight features that every application declares and has locks of. */
const DECLARED = { ...FEATURES, ...ONE_FILE };

/** The only platform whose packages the registry snapshot is sure to have. */
const PLATFORM = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;

/**
 * The start of every program: it prints what the program used, as Node reports it at the end. An import of node:fs
 * would load what its getters need, among them all of node:stream.
 */
const REPORT = `const { writeSync } = process.getBuiltinModule('node:fs');
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  const { rss } = process.memoryUsage();
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  writeSync(1, JSON.stringify({ cpu: (user + system) / 1000, rss, heap: heapUsed, ...globalThis.more }));
});
`;

/** Times the repeated import of a package: the median of 40 batches, in microseconds for each import. */
const again = (name) => `${REPORT}await import('${name}');
const batches = [];
for (let batch = 0; batch < 40; batch++) {
  const start = performance.now();
  for (let count = 0; count < 100; count++) await import('${name}');
  batches.push((performance.now() - start) * 10);
}
globalThis.more = { us: batches.sort((a, b) => a - b)[20] };
`;

/**
 * @param {{ base: string, url: string, annex: string, nodes: string[] }} options `annex`: the root of a built checkout
 */
export function createWorld({ base, url, annex, nodes }) {
  const app = join(base, 'app');
  const store = join(base, 'store');
  const loader = (dir) => join(dir, 'node_modules/annex/loader.mjs');

  /** Creates an application with annex and its locks, except for the first, which is locked here. */
  const createApp = (name, { type = 'module', features = DECLARED, hasLocks = true } = {}) => {
    const dir = join(base, name);
    mkdirSync(join(dir, 'node_modules'), { recursive: true });
    const manifest = { name: 'app', version: '1.0.0', type };
    const key = { features, platforms: [PLATFORM] };
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ ...manifest, annex: key }));
    writeFileSync(join(dir, '.npmrc'), `registry=${url}/\n`);
    writeFileSync(join(dir, 'empty.mjs'), '');
    copyPackage(annex, join(dir, 'node_modules/annex'));
    if (hasLocks) cpSync(join(app, 'annex'), join(dir, 'annex'), { recursive: true });
    return dir;
  };
  const write = (dir, file, text) => {
    writeFileSync(join(dir, file), text);
    return file;
  };
  const environment = {
    PATH: process.env.PATH,
    HOME: base,
    ANNEX_STORE: store,
    ANNEX_ALLOW_INSTALLS: '0',
  };
  const annexCli = (node, ...args) => {
    const env = { ...environment, ANNEX_ALLOW_INSTALLS: '1', ANNEX_CONFIG: join(base, 'on.json') };
    runProgram(node, [join(annex, 'dist/cli/main.js'), ...args], { cwd: app, env });
  };

  createApp('app', { hasLocks: false });
  writeFileSync(join(base, 'on.json'), '{ "durability": "none" }');
  writeFileSync(join(base, 'off.json'), '{ "verify": "off" }');
  annexCli(process.execPath, 'lock', '--min-age', '0');
  // A package with compiled code has an entry for each ABI of Node.
  for (const node of nodes) annexCli(node, 'install', '--all');

  return {
    base,
    app,
    store,
    environment,
    loader,
    /** A program that does nothing. */
    idle: () => write(app, 'idle.mjs', REPORT),
    /** An application of thousands of modules. */
    many: (kind) => {
      const isModule = kind === 'esm';
      const dir = createApp(kind, { type: isModule ? 'module' : 'commonjs' });
      const main = writeModules(dir, isModule);
      write(
        dir,
        'main.js',
        isModule ? `${REPORT}import '${main}';` : `${REPORT}require('${main}');`,
      );
      return dir;
    },
    /** Programs that import a feature, in the application and in one with the package in its node_modules. */
    feature: (name) => {
      const safe = name.replace('/', '+');
      const plain = join(base, 'plain', safe);
      const modules = join(findEntry(store, name), 'node_modules');
      cpSync(modules, join(plain, 'node_modules'), { recursive: true });
      writeFileSync(join(plain, 'package.json'), readFileSync(join(app, 'package.json')));
      for (const dir of [app, plain]) {
        write(dir, `import-${safe}.js`, `${REPORT}await import('${name}');`);
        write(dir, `again-${safe}.js`, again(name));
      }
      return { plain, once: `import-${safe}.js`, again: `again-${safe}.js` };
    },
    /** Stores of one and of thousands of entries, and a program that imports a feature of both without a lock. */
    stores: () => {
      const large = join(base, 'large');
      const few = join(base, 'few');
      fillStores({ store, large, few });
      const dir = createApp('unlocked', { features: { ...DECLARED, ...MORE_FEATURES } });
      write(dir, 'main.js', `${REPORT}await import('feature-0');`);
      return { dir, large, few };
    },
  };
}

/** Copies what npm publishes of a built checkout. */
function copyPackage(from, to) {
  for (const name of ['dist', 'loader.mjs', 'package.json']) {
    cpSync(join(from, name), join(to, name), { recursive: true });
  }
}

/** Finds an entry whose node_modules has a package. */
function findEntry(store, name) {
  const entries = readdirSync(join(store, 'v1'), { recursive: true, withFileTypes: true })
    .filter((file) => file.name === 'annex-entry.json')
    .map(({ parentPath }) => parentPath);
  const found = entries.find((dir) => {
    const { specs } = JSON.parse(readFileSync(join(dir, 'annex-entry.json'), 'utf8'));
    return Object.hasOwn(specs, name);
  });
  if (found === undefined) throw new Error(`no entry of ${name} in ${store}`);
  return found;
}

/**
 * Runs a program to its end.
 * @returns {{ wall: number, stdout: string }} milliseconds, and what it printed
 * @throws when it fails or writes to stderr
 */
export function runProgram(file, args, options) {
  const start = performance.now();
  const { status, signal, stdout, stderr } = spawnSync(file, args, {
    ...options,
    encoding: 'utf8',
  });
  const wall = performance.now() - start;
  if (status === 0) return { wall, stdout };
  throw new Error(`${file} ${args.join(' ')} ended with ${status ?? signal}\n${stderr}`);
}
