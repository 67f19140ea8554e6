/** Synthetic packages in every shape that resolution distinguishes; each exports a marker that identifies the loaded copy. */
import type { PackageFixture } from './package.ts';

/** Merged into package.json, for dependencies and the like. */
type Manifest = Record<string, unknown>;

/** Makes a package of one shape. */
type Make = (name: string, version: string, marker: string, manifest?: Manifest) => PackageFixture;

function writeEsm(facts: Record<string, string>): string {
  return Object.entries(facts)
    .map(([key, value]) => `export const ${key} = ${JSON.stringify(value)};\n`)
    .join('');
}

function writeCjs(facts: Record<string, string>): string {
  return Object.entries(facts)
    .map(([key, value]) => `exports.${key} = ${JSON.stringify(value)};\n`)
    .join('');
}

/**
 * An ES module only, with `exports`. Like all below it exports `name`, `version` and `marker`; any name may be scoped.
 * @example esmPackage('@acme/alpha', '1.2.0', 'from-core')
 */
export const esmPackage: Make = (name, version, marker, manifest = {}) => ({
  name,
  version,
  files: { 'index.js': writeEsm({ name, version, marker }) },
  manifest: { type: 'module', exports: { '.': './index.js' }, ...manifest },
});

/** CommonJS with `main` and without `exports`, so that every file in it can be reached (`lib/extra.js`, say). */
export const cjsPackage: Make = (name, version, marker, manifest = {}) => ({
  name,
  version,
  files: {
    'index.js': writeCjs({ name, version, marker }),
    'lib/extra.js': writeCjs({ name, version, marker, subpath: 'lib/extra.js' }),
  },
  manifest: { main: './index.js', ...manifest },
});

/** CommonJS behind `exports`, which hide `internal.js`. */
export const cjsExportsPackage: Make = (name, version, marker, manifest = {}) => ({
  name,
  version,
  files: {
    'index.js': writeCjs({ name, version, marker }),
    'internal.js': writeCjs({ name, version, marker, subpath: 'internal.js' }),
  },
  manifest: { exports: { '.': './index.js' }, ...manifest },
});

/** Both kinds: exports `flavor`, `import` or `require`, after the condition that chose the file. */
export const dualPackage: Make = (name, version, marker, manifest = {}) => ({
  name,
  version,
  files: {
    'index.mjs': writeEsm({ name, version, marker, flavor: 'import' }),
    'index.cjs': writeCjs({ name, version, marker, flavor: 'require' }),
  },
  manifest: {
    exports: { '.': { import: './index.mjs', require: './index.cjs' } },
    ...manifest,
  },
});

/** An ES module with the one subpath `./sub` (export `subpath`) and a package.json that can be read. */
export const subpathPackage: Make = (name, version, marker, manifest = {}) => ({
  name,
  version,
  files: {
    'index.js': writeEsm({ name, version, marker }),
    'lib/sub.js': writeEsm({ name, version, marker, subpath: './sub' }),
  },
  manifest: {
    type: 'module',
    exports: { '.': './index.js', './sub': './lib/sub.js', './package.json': './package.json' },
    ...manifest,
  },
});

const conditions = ['custom', 'module-sync', 'import', 'require', 'default'];

/** Exports `condition`: the first of `custom`, `module-sync`, `import`, `require`, `default` that held. */
export const conditionsPackage: Make = (name, version, marker, manifest = {}) => {
  const fileOf = (condition: string) =>
    `${condition}.${condition === 'require' || condition === 'default' ? 'cjs' : 'mjs'}`;
  const writeFor = (condition: string) =>
    (fileOf(condition).endsWith('.cjs') ? writeCjs : writeEsm)({
      name,
      version,
      marker,
      condition,
    });
  return {
    name,
    version,
    files: Object.fromEntries(conditions.map((one) => [fileOf(one), writeFor(one)])),
    manifest: {
      exports: { '.': Object.fromEntries(conditions.map((one) => [one, `./${fileOf(one)}`])) },
      ...manifest,
    },
  };
};

/** An ES module that imports its dependencies and exports `seen`: the `marker` of each, by name. */
export function dependentPackage(
  name: string,
  version: string,
  marker: string,
  dependencies: Record<string, string>,
  manifest: Manifest = {},
): PackageFixture {
  const names = Object.keys(dependencies);
  const imports = names.map((one, at) => `import { marker as m${at} } from '${one}';\n`).join('');
  const seen = names.map((one, at) => `${JSON.stringify(one)}: m${at}`).join(', ');
  const esm = esmPackage(name, version, marker, { dependencies, ...manifest });
  const body = `${imports}${writeEsm({ name, version, marker })}export const seen = { ${seen} };\n`;
  return { ...esm, files: { 'index.js': body } };
}
