// Builds dist/: the public type declarations by tsc, and few large files by rolldown. A preload pays about one millisecond for
// every module it loads, in every process; source files stay small, what is shipped does not. Packages that annex uses
// are part of these files: dist/ needs nothing beside it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** Copies a declaration file and those that it imports: as ES modules, and for TypeScript that compiles to CommonJS. */
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
copyDeclarations('index');
copyDeclarations('register');
rmSync(declarations, { recursive: true });

// Node has the ES module for both; TypeScript wants a file of CommonJS beside declarations of CommonJS.
for (const name of ['index', 'register']) {
  writeFileSync(join(dist, `${name}.cjs`), `module.exports = require('./${name}.js');\n`);
}

/** What src/ loads late by a `load` of its own is bundled, and still runs when it is first loaded. */
const lateLoads = {
  name: 'late-loads',
  transform(code) {
    const own = 'const load = createRequire(import.meta.url);';
    if (!code.includes(own)) return undefined;
    // Lines stay, which is as exact as the source map has to be.
    return { code: code.replace(own, '').replaceAll(/\bload\('/g, "require('"), map: null };
  },
};

// Each group has its own copy of what it shares with others: what the preload loads is two files, not ten.
const groups = [['register', 'hooks/import-node20'], ['index'], ['cli/main']];
const bundled = new Set();
for (const group of groups) {
  const bundle = await rolldown({
    input: Object.fromEntries(group.map((name) => [name, source(name)])),
    platform: 'node',
    external: [/^node:/],
    plugins: [lateLoads],
    transform: { define: { ANNEX_VERSION: JSON.stringify(version) } },
  });
  // Chunks stand beside index.js: src/base/own-files.ts counts on it.
  const { output } = await bundle.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
  await bundle.close();
  for (const id of output.flatMap(({ moduleIds = [] }) => moduleIds)) {
    const [home] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [];
    if (home !== undefined) bundled.add(home);
  }
}

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

/** The terms of a package, which have to go wherever its code goes. */
function readTerms({ home, name, version }) {
  const file = readdirSync(home).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name}@${version} has no licence file`);
  return `${name} ${version}\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`;
}
writeFileSync(join(dist, 'licenses.txt'), packages.map(readTerms).join('\n\n'));
