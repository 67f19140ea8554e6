// Builds dist/: public type declarations with tsc, and a few large files with rolldown, because a preload costs about one
// millisecond per module in every process. The files include the packages that annex uses: dist/ has no dependencies.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const source = (name) => join(root, 'src', `${name}.ts`);
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const { name, version, license } = readJson(join(root, 'package.json'));

rmSync(dist, { recursive: true, force: true });
const declarations = mkdtempSync(join(tmpdir(), 'annex-declarations-'));
const tsc = join(root, 'node_modules', '.bin', 'tsc');
const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', declarations], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

/** Copies a declaration file and its imports, for ES modules and for CommonJS. */
function copyDeclarations(name, copied = new Set()) {
  if (copied.has(name)) return;
  copied.add(name);
  const text = readFileSync(join(declarations, `${name}.d.ts`), 'utf8');
  const pattern = /(?<=\bfrom ')(\.[^']+)\.ts(?=')/g;
  for (const [, path] of text.matchAll(pattern)) {
    copyDeclarations(normalize(join(dirname(name), path)), copied);
  }
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  for (const kind of ['js', 'cjs']) {
    const file = join(dist, `${name}.d.${kind.replace('js', 'ts')}`);
    writeFileSync(file, text.replace(pattern, `$1.${kind}`));
  }
}
const doors = ['index', 'register', 'jest', 'vite'];
for (const name of doors) copyDeclarations(name);
rmSync(declarations, { recursive: true });

// Node uses the ES module for both; TypeScript requires a CommonJS file beside CommonJS declarations.
for (const name of doors) {
  writeFileSync(join(dist, `${name}.cjs`), `module.exports = require('./${name}.js');\n`);
}

/**
 * Gets builtins from process.getBuiltinModule in the first stage of the loader: importing one makes Node create an ES
 * module of it, which takes 1 to 2 ms for each.
 */
const plainBuiltins = {
  name: 'plain-builtins',
  renderChunk(code) {
    const pattern = /^import (?:(\w+), )?(?:\{([^}]*)\} )?from "(node:\w+)";$/gm;
    const replace = (_, all, names, id) => {
      const builtin = `process.getBuiltinModule("${id}")`;
      const whole = all === undefined ? [] : [`${all} = ${builtin}`];
      const parts = names === undefined ? [] : [`{${names.replaceAll(' as ', ': ')}} = ${builtin}`];
      return `const ${[...whole, ...parts].join(', ')};`;
    };
    // Lines stay the same.
    return { code: code.replaceAll(pattern, replace), map: null };
  },
};

const OWN_LOAD = 'const load = createRequire(import.meta.url);';

/** Bundles modules that src/ loads lazily with its own `load`; they still run at their first load. */
const lateLoads = {
  name: 'late-loads',
  transform(code) {
    if (!code.includes(OWN_LOAD)) return undefined;
    // Line numbers stay the same, which is exact enough for the source map.
    return { code: code.replace(OWN_LOAD, '').replaceAll(/\bload\('/g, "require('"), map: null };
  },
};

/** Modules that the second stage of the loader loads from a file of their own: it rarely needs them. */
const late = new Set();
const LATE = 'late.cjs';
const collectLate = {
  name: 'collect-late',
  resolveId: (id) => (id === `./${LATE}` ? { id, external: true } : undefined),
  transform(code) {
    if (!code.includes(OWN_LOAD)) return undefined;
    const replace = (_, id) => {
      late.add(id);
      return `require('./${LATE}')['${id}']()`;
    };
    return {
      code: code.replace(OWN_LOAD, '').replaceAll(/\bload\('([^']+)'\)/g, replace),
      map: null,
    };
  },
};
const lateEntry = {
  name: 'late-entry',
  resolveId: (id) => (id === LATE ? `${join(root, 'src')}/${LATE}` : undefined),
  load: (id) =>
    id.endsWith(`/${LATE}`)
      ? [...late]
          .sort()
          .map((id) => `exports['${id}'] = () => require('${id}');`)
          .join('\n')
      : undefined,
};

/** Leaves the files of other groups outside. */
const otherGroups = {
  name: 'other-groups',
  resolveId(id, importer) {
    const [, name] = /^\.\/(index|register)\.ts$/.exec(id) ?? [];
    const isOther = name !== undefined && /\/src\/(?:declared|jest|vite)\.ts$/.test(importer);
    return isOther ? { id: `./${name}.js`, external: true } : undefined;
  },
};

// Each group has its own copy of shared modules, so that the preload loads two files instead of ten.
/** Node shows the names of the classes of errors. */
const named = { compress: true, mangle: { keepNames: { class: true, function: false } } };
const groups = [
  { names: ['loader'], plugins: [lateLoads, plainBuiltins], minify: true },
  { names: ['hooks/activate'], file: 'hooks.cjs', plugins: [collectLate], minify: named },
  { input: LATE, file: LATE, plugins: [lateEntry], minify: true },
  { names: ['register', 'hooks/import-node20'] },
  { names: ['index'] },
  { names: ['cli/main'] },
  { names: ['jest', 'vite'], plugins: [otherGroups] },
];
const bundled = new Set();
for (const { names = [], input, file, plugins = [lateLoads], minify = false } of groups) {
  const bundle = await rolldown({
    input: input ?? Object.fromEntries(names.map((name) => [name, source(name)])),
    platform: 'node',
    external: [/^node:/],
    plugins,
    transform: { define: { ANNEX_VERSION: JSON.stringify(version) } },
  });
  // src/base/own-files.ts expects chunks beside index.js.
  const { output } = await bundle.write({
    dir: dist,
    // Node 20 requires no ES module, and the first stage loads the second synchronously.
    format: file === undefined ? 'esm' : 'cjs',
    entryFileNames: file ?? '[name].js',
    // Most of the time that a stage takes is the compilation of its text.
    minify,
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
  await bundle.close();
  for (const id of output.flatMap(({ moduleIds = [] }) => moduleIds)) {
    const [home] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [];
    if (home !== undefined) bundled.add(home);
  }
}

// npm makes it executable when it links a checkout, but not after the next build.
chmodSync(join(dist, 'cli/main.js'), 0o755);

const packages = [...bundled]
  .sort()
  .map((home) => ({ home, ...readJson(join(home, 'package.json')) }));
const describe = ({ name, version, license }) => {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    licenses: [{ expression: license }],
  };
};
const sbom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: { component: describe({ name, version, license }) },
  components: packages.map(describe),
};
writeFileSync(join(dist, 'sbom.cdx.json'), `${JSON.stringify(sbom, null, 2)}\n`);

/** Licence text of a package, which must accompany its code. */
function readTerms({ home, name, version }) {
  const file = readdirSync(home).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name}@${version} has no licence file`);
  return `${name} ${version}\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`;
}
writeFileSync(join(dist, 'licenses.txt'), packages.map(readTerms).join('\n\n'));
