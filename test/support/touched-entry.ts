/** An entry whose modules make every kind of request. */
import type { Change, ProbeEntry } from './probe-entry.ts';
import { type ModuleRequest, writeText } from './probe-texts.ts';
import { EVIL_DATA, EVIL_SCRIPT } from './random-changes.ts';

const ask =
  (...ways: ModuleRequest['way'][]) =>
  (...specifiers: string[]): ModuleRequest[] =>
    specifiers.flatMap((specifier) => ways.map((way) => ({ way, specifier })));
const require = ask('require');
const load = ask('import');
const both = ask('require', 'import');
const find = ask('require.resolve', 'import.meta.resolve');

/** Requests by file of the feature's package; ES modules are below `esm`. */
const KIT: Record<string, ModuleRequest[]> = {
  'main.js': [
    ...require('./lib', './lib/x', './opt', './plain', './data', './odd', './only', './named'),
    ...require('./gone', './LIB/x.js', './lib/x.js/part.js', './part.js', 'part', 'gone'),
    ...both('tool', '#x', '#dep', 'self'),
    ...load('./esm/index.js', './lib/x.js'),
    ...find('./lib/x', './named', 'part/deep', 'gone'),
  ],
  'index.js': [],
  'other.js': [],
  plain: [],
  'data.json': [],
  'opt.js': [],
  'opt/index.js': [],
  'odd.json': [],
  'odd/index.js': [],
  'only/index.json': [],
  'named/part.js': [],
  'named/index.js': [],
  'lib/index.js': both('./x.js', 'tool', 'part', '#x'),
  'lib/x.js': [],
  'lib/other.js': [],
  'lib2/index.js': [],
  'lib2/x.js': [],
  'esm/index.js': [
    ...load('./x.js', './data.json', 'tool', 'tool/sub', 'tool/data.json', 'part', 'gone'),
    ...load('#x', './gone.js', './X.js', './l%69nked/x.js'),
    ...find('./x.js', 'part', 'tool/sub', 'gone'),
  ],
  'esm/x.js': [],
  'esm/other.js': [],
  'esm/data.json': [],
};

const TOOL: Record<string, ModuleRequest[]> = {
  'i.mjs': load('tool/sub', '#in', './sub.js', 'part'),
  'r.cjs': require('tool/sub', '#in', './sub', 'part', 'gone'),
  'sub.js': [],
  'in.js': [],
  'other.js': [],
  'data.json': [],
};

const PART: Record<string, ModuleRequest[]> = {
  'index.js': [],
  'deep.js': [],
  'lib/index.js': require('tool', 'part', '../index.js'),
};

/** Contents of each package.json below the package of that path. */
const MANIFESTS = (name: string): Record<string, object> => ({
  [`${name}/package.json`]: {
    name,
    version: '1.0.0',
    main: './main.js',
    imports: { '#x': './lib/x.js', '#dep': 'tool' },
  },
  [`${name}/esm/package.json`]: { type: 'module', imports: { '#x': './x.js' } },
  [`${name}/named/package.json`]: { main: './part.js' },
  'tool/package.json': {
    name: 'tool',
    version: '1.0.0',
    main: './other.js',
    exports: {
      '.': { import: './i.mjs', require: './r.cjs' },
      './sub': './sub.js',
      './data.json': './data.json',
    },
    imports: { '#in': './in.js' },
  },
  'part/package.json': { name: 'part', version: '1.0.0', main: 'lib' },
  [`${name}/node_modules/part/package.json`]: { name: 'part', version: '1.0.0', main: './lib' },
});

/** Makes the entry; the application requests it by its name and by paths. */
export function makeTouched(name: string): ProbeEntry {
  const files: Record<string, string> = {};
  const add = (at: string, all: Record<string, ModuleRequest[]>): void => {
    for (const [file, asked] of Object.entries(all)) {
      const scope = file.startsWith('esm/') ? 'module' : undefined;
      const options = {
        scope,
        requests: asked,
        isThere: () => false,
        isPolyglot: true,
        isEager: false,
      };
      files[`node_modules/${at}/${file}`] = writeText(`node_modules/${at}/${file}`, options);
    }
  };
  add(name, KIT);
  add('tool', TOOL);
  add('part', PART);
  add(`${name}/node_modules/part`, PART);
  for (const [path, manifest] of Object.entries(MANIFESTS(name))) {
    files[`node_modules/${path}`] = JSON.stringify(manifest);
  }
  const kit = `node_modules/${name}`;
  return {
    name,
    packages: [kit, 'node_modules/tool', 'node_modules/part', `${kit}/node_modules/part`],
    files,
    requests: [
      { way: 'import', specifier: name },
      { way: 'require', specifier: `${name}/lib` },
      { way: 'import.meta.resolve', specifier: name },
      { way: 'require.resolve', specifier: `${name}/lib/x` },
      { way: 'require of a path', path: kit },
      { way: 'require of a path', path: `${kit}/lib` },
      { way: 'require of a path', path: `${kit}/data.json` },
      { way: 'import of a path', path: `${kit}/esm/index.js` },
      { way: 'import of a relative path', path: `${kit}/lib/x.js` },
      { way: 'import of a URL', path: `${kit}/esm/x.js` },
      ...['./lib', './x', 'tool', 'part', 'gone', '#x'].map((specifier) => ({
        way: 'createRequire there',
        path: `${kit}/lib/x.js`,
        specifier,
      })),
    ],
  };
}

/** Edits the package.json of a package of the entry. */
export const edit = (name: string, path: string, part: Record<string, unknown>): Change => {
  const before = MANIFESTS(name)[path] as Record<string, unknown>;
  const text = JSON.stringify({ ...before, ...part });
  return { action: 'write', path: `node_modules/${path}`, text };
};

/** Adds or replaces a file with foreign code. */
export const plant = (path: string, text?: string): Change => ({
  action: 'write',
  path,
  text: text ?? (path.endsWith('.json') ? EVIL_DATA : EVIL_SCRIPT),
});
