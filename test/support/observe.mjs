/**
 * Loads the packages of many entries in many ways, and writes down what ran and what each request found:
 * node observe.mjs CASES.json RESULTS.json [change]. With `change` it only changes the entries.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [, , casesFile, resultsFile, mode] = process.argv;
const cases = JSON.parse(readFileSync(casesFile, 'utf8'));
const coreRequire = createRequire(import.meta.url);

/** Makes the directory of a path, and everything above it, writable. */
function open(path) {
  for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
    const stats = lstatSync(dir, { throwIfNoEntry: false });
    if (stats?.isDirectory() && (stats.mode & 0o200) === 0) chmodSync(dir, 0o755);
  }
  mkdirSync(dirname(path), { recursive: true });
}

const remove = (path) => rmSync(path, { recursive: true, force: true });
const ACTIONS = {
  write: (path, { text }) => {
    remove(path);
    writeFileSync(path, text);
  },
  remove,
  rename: (path, { to }) => {
    open(to);
    remove(to);
    renameSync(path, to);
  },
  swap: (path, { to }) => {
    renameSync(path, `${path}.aside`);
    renameSync(to, path);
    renameSync(`${path}.aside`, to);
  },
  copy: (path, { to }) => {
    open(to);
    remove(to);
    cpSync(path, to, { recursive: true, verbatimSymlinks: true });
  },
  link: (path, { target }) => {
    remove(path);
    symlinkSync(target, path);
  },
  hardLink: (path, { to }) => {
    remove(path);
    linkSync(to, path);
  },
  directory: (path) => {
    remove(path);
    mkdirSync(path);
  },
  truncate: (path, { size }) => writeFileSync(path, readFileSync(path).subarray(0, size)),
  mode: (path, { bits }) => chmodSync(path, bits),
};

/** Changes an entry. A change that is not possible after earlier ones does nothing. */
function change({ dir, changes }) {
  for (const { action, path, ...options } of changes) {
    try {
      const file = join(dir, path);
      const to = options.to === undefined ? undefined : join(dir, options.to);
      open(file);
      ACTIONS[action](file, { ...options, to });
    } catch (error) {
      if (error.code === undefined) throw error;
    }
  }
}

/** The path in an entry, whatever its generation. */
function shorten(value) {
  const path = value.startsWith('file:') ? fileURLToPath(value.replace(/[?#].*$/s, '')) : value;
  return path.replace(/^.*?\/v1\/any\/[^/]+\.[0-9a-f]{32}\.\w+\//, '');
}

// Most requests fail, and nothing reads their stacks.
Error.stackTraceLimit = 0;
let current;

async function attempt(run) {
  try {
    return describe(await run());
  } catch (error) {
    return `!${error?.code ?? error?.name} ${error?.cause?.code ?? ''}`;
  }
}

function describe(value) {
  if (typeof value === 'string') return `at ${shorten(value)}`;
  const probe = value?.probe ?? value?.default?.probe;
  if (probe?.id === undefined) return JSON.stringify(value?.default ?? value) ?? 'undefined';
  current.queue.push(probe);
  return `${probe.id} ${shorten(probe.file)}`;
}

globalThis.probe = {
  ran: (file, id) => current.ran.push(`${id} ${shorten(file)}`),
  eager: (file, specifier, run) => {
    const key = `${shorten(file)} eager ${specifier}`;
    try {
      current.seen[key] = describe(run());
    } catch (error) {
      current.seen[key] = `!${error?.code ?? error?.name}`;
    }
  },
};

/** Requests of the application, for a specifier, or for a path in the entry. */
const WAYS = {
  import: (name) => import(name),
  require: (name) => coreRequire(name),
  'require.resolve': (name) => coreRequire.resolve(name),
  'import.meta.resolve': (name) => import.meta.resolve(name),
  'import of a path': (path) => import(path),
  'import of a relative path': (path) =>
    import(relative(dirname(fileURLToPath(import.meta.url)), path)),
  'import of a URL': (path) => import(`${pathToFileURL(path)}?query`),
  'import of JSON': (path) => import(path, { with: { type: 'json' } }),
  'require of a path': (path) => coreRequire(path),
  'createRequire there': (path, specifier) => createRequire(path)(specifier),
};

async function observe(each) {
  current = { seen: {}, ran: [], queue: [] };
  const { dir, changes, requests, early } = each;
  for (const [index, { way, specifier, path }] of requests.entries()) {
    if (index === early && changes !== undefined) change(each);
    const first = path === undefined ? specifier : join(dir, path);
    const run = () => WAYS[way](first, specifier);
    current.seen[`application ${way} ${path ?? ''} ${specifier ?? ''}`] = await attempt(run);
  }
  const visited = new Set();
  for (let probe = current.queue.shift(); probe !== undefined; probe = current.queue.shift()) {
    const file = shorten(probe.file);
    if (visited.has(file)) continue;
    visited.add(file);
    for (const [key, run] of Object.entries(probe.later)) {
      current.seen[`${file} ${key}`] = await attempt(run);
    }
  }
  return { seen: current.seen, ran: [...new Set(current.ran)].sort() };
}

// Node 20 has a second, unhandled rejection when imported CommonJS throws.
process.on('unhandledRejection', () => {});

if (mode === 'change') {
  for (const each of cases) if (existsSync(each.dir)) change(each);
} else {
  const results = [];
  for (const each of cases) results.push(await observe(each));
  writeFileSync(resultsFile, JSON.stringify(results));
}
