/** Random entries of a store: a few packages in every shape that resolution distinguishes, whose modules request each other. */
import { posix } from 'node:path';
import fc from 'fast-check';
import type { AppRequest, ProbeEntry } from './probe-entry.ts';
import { WAYS_OF_MODULES, writeText } from './probe-texts.ts';
import { FILES, INTERNAL, NAMES, RELATIVE, SUBPATHS } from './random-words.ts';

interface Shape {
  files: (typeof FILES)[number][];
  type: 'module' | 'commonjs' | undefined;
  manifest: Record<string, unknown>;
  /** Directories with a package.json that only has a type. */
  typed: Record<string, 'module' | 'commonjs'>;
}

const TARGETS = [
  './x.js',
  './main.js',
  './lib/index.js',
  './lib/y.mjs',
  './lib/y.cjs',
  './gone.js',
];
const target = fc.constantFrom(...TARGETS);

const main = fc.constantFrom('./main.js', 'main', './lib', 'lib/', 'x', './gone', 'plain', '.');

const exportsMap = fc.oneof(
  target,
  fc.record({ import: target, require: target }),
  fc.record({ require: target, default: target }),
  fc.record({ '.': target, './x': target, './lib/*': fc.constant('./lib/*') }),
  fc.record({
    '.': fc.record({ import: target, default: target }),
    './*': fc.constant('./*.js'),
    './lib/*': fc.constant(null),
    './data.json': fc.constant('./data.json'),
  }),
);

const manifest = fc.record(
  {
    main,
    exports: exportsMap,
    imports: fc.record({
      '#x': target,
      '#dep': fc.constantFrom('a', 'b', 'gone'),
      '#lib/*': fc.constant('./lib/*'),
    }),
  },
  { requiredKeys: [] },
);

const shape: fc.Arbitrary<Shape> = fc.record({
  files: fc.subarray([...FILES], { minLength: 8 }),
  type: fc.constantFrom(undefined, undefined, 'commonjs' as const, 'module' as const),
  manifest,
  typed: fc.record(
    {
      lib: fc.constantFrom('commonjs' as const, 'module' as const),
      esm: fc.constant('module' as const),
    },
    { requiredKeys: [] },
  ),
});

const moduleRequest = fc.record({
  way: fc.constantFrom(...WAYS_OF_MODULES),
  specifier: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...RELATIVE) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...NAMES, 'self'), fc.constantFrom(...SUBPATHS))
        .map(([name, subpath]) => `${name}${subpath}`),
    },
    { weight: 1, arbitrary: fc.constantFrom(...INTERNAL) },
  ),
});

/** Where packages can be, below `node_modules`; `root` is the feature's own. */
const PLACES = [
  'a',
  'b',
  '@s/c',
  'root/node_modules/a',
  'root/node_modules/b',
  'a/node_modules/b',
  'a/node_modules/@s/c',
];

const tree = fc.record({
  root: shape,
  places: fc.subarray(PLACES, { minLength: 3 }),
  others: fc.array(shape, { minLength: PLACES.length, maxLength: PLACES.length }),
  requests: fc.array(fc.array(moduleRequest, { minLength: 2, maxLength: 6 }), {
    minLength: 12,
    maxLength: 12,
  }),
  isPolyglot: fc.boolean(),
  app: fc.array(
    fc.record({
      way: fc.constantFrom(
        'import',
        'require',
        'require.resolve',
        'import.meta.resolve',
        'import of a path',
        'import of a relative path',
        'import of a URL',
        'import of JSON',
        'require of a path',
        'createRequire there',
      ),
      subpath: fc.constantFrom('', '', ...SUBPATHS),
      file: fc.nat(),
      specifier: fc.constantFrom(...RELATIVE, ...NAMES, ...INTERNAL),
    }),
    { minLength: 3, maxLength: 8 },
  ),
});

/** Entries; their names are made of their numbers. */
export const randomEntry = (number: number): fc.Arbitrary<ProbeEntry> =>
  tree.map(({ root, places, others, requests, isPolyglot, app }) => {
    const name = `p${number}`;
    const files: Record<string, string> = {};
    const packages = [`node_modules/${name}`];
    let modules = 0;
    const addPackage = (
      path: string,
      { files: names, type, manifest: keys, typed }: Shape,
    ): void => {
      const own = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const json = { name: own, version: '1.0.0', ...(type && { type }), ...keys };
      files[`${path}/package.json`] = JSON.stringify(json);
      for (const file of names) {
        const scope = typed[file.slice(0, Math.max(file.indexOf('/'), 0)) as 'lib'] ?? type;
        const asked = (requests[modules++ % requests.length] ?? []).map((each) => ({
          ...each,
          specifier: each.specifier.replace(/^self/, own),
        }));
        const isThere = (specifier: string): boolean =>
          specifier.startsWith('./') &&
          names.some((each) => posix.join(posix.dirname(file), specifier) === each);
        const text = writeText(`${path}/${file}`, {
          scope,
          requests: asked,
          isThere,
          isPolyglot,
          isEager: true,
        });
        files[`${path}/${file}`] = text;
      }
      for (const [dir, each] of Object.entries(typed)) {
        files[`${path}/${dir}/package.json`] = JSON.stringify({ type: each });
      }
    };
    addPackage(`node_modules/${name}`, root);
    for (const place of places) {
      const path = `node_modules/${place.replace('root/', `${name}/`)}`;
      if (path.startsWith('node_modules/a/') && !places.includes('a')) continue;
      packages.push(path);
      addPackage(path, others[PLACES.indexOf(place)] ?? root);
    }
    const paths = Object.keys(files);
    const first: AppRequest[] = [
      { way: 'import', specifier: name },
      { way: 'require', specifier: name },
    ];
    const more = app.map(({ way, subpath, file, specifier }): AppRequest => {
      if (!/path|URL|there|JSON/.test(way)) return { way, specifier: `${name}${subpath}` };
      const path = paths[file % paths.length] ?? '';
      return way === 'createRequire there' ? { way, path, specifier } : { way, path };
    });
    return { name, packages, files, requests: [...first, ...more] };
  });
