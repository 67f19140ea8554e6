/** Every form in which the core can hold a package, whole and broken, with the requests for it. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  cjsExportsPackage,
  cjsPackage,
  conditionsPackage,
  dualPackage,
  esmPackage,
  subpathPackage,
} from '../support/fixtures.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';

/** One package as the core holds it. */
export interface CoreCopy {
  name: string;
  /** Requested subpaths. */
  subpaths?: readonly string[];
  /** Writes it into a node_modules directory. */
  plant: (sandbox: Sandbox, modules: string) => void;
}

type Shape = (name: string, version: string, marker: string) => PackageFixture;

const MARKER = 'core';

function whole(name: string, shape: Shape, subpaths: string[] = []): CoreCopy {
  const pkg = shape(name, '1.0.0', MARKER);
  return { name, subpaths, plant: (sandbox, modules) => sandbox.addPackage(modules, pkg) };
}

/** A package whose package.json is this string, or this object with name and version. */
function odd(
  name: string,
  manifest: string | Record<string, unknown>,
  files: Record<string, string> = {},
): CoreCopy {
  const own = typeof manifest === 'string' ? { 'package.json': manifest } : {};
  const merged = typeof manifest === 'string' ? {} : manifest;
  const pkg = { name, version: '1.0.0', files: { ...files, ...own }, manifest: merged };
  const plant: CoreCopy['plant'] = (sandbox, modules) => sandbox.addPackage(modules, pkg);
  return { name, subpaths: ['sub'], plant };
}

/** Files only, without any package.json; the name is the first part of each path. */
function bare(name: string, files: Record<string, string>): CoreCopy {
  const plant: CoreCopy['plant'] = (sandbox, modules) => {
    for (const [path, text] of Object.entries(files)) sandbox.write(join(modules, path), text);
  };
  return { name, subpaths: ['sub'], plant };
}

function link(name: string, target: string): CoreCopy {
  const plant: CoreCopy['plant'] = (_sandbox, modules) => {
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(target, join(modules, name));
  };
  return { name, subpaths: ['sub'], plant };
}

const CJS = `exports.marker = '${MARKER}';\n`;
const ESM = `export const marker = '${MARKER}';\n`;

/** Copies that Node can load. */
export const wholeCopies: readonly CoreCopy[] = [
  whole('whole-esm', esmPackage),
  whole('whole-cjs', cjsPackage, ['lib/extra.js', 'lib/extra', 'package.json']),
  whole('whole-cjs-exports', cjsExportsPackage),
  whole('whole-dual', dualPackage),
  whole('@core/scoped', dualPackage),
  whole('whole-subpath', subpathPackage, ['sub', 'package.json']),
  whole('whole-conditions', conditionsPackage),
  { ...whole('other-version', dualPackage), plant: plantOtherVersion },
  odd('empty-manifest', '{}', { 'index.js': CJS }),
  odd('bom-manifest', '\uFEFF{"main":"./main.js"}', { 'main.js': CJS }),
  odd('no-version', '{"name":"no-version","main":"./main.js"}', { 'main.js': CJS }),
  odd('other-name', '{"name":"another","main":"./main.js"}', { 'main.js': CJS }),
  bare('no-manifest', { 'no-manifest/index.js': CJS }),
];

function plantOtherVersion(sandbox: Sandbox, modules: string): void {
  sandbox.addPackage(modules, dualPackage('other-version', '0.3.0', MARKER));
}

/** Whole copies without the requested subpath. */
export const lackingCopies: readonly CoreCopy[] = [
  whole('lacking-esm', esmPackage, ['sub', 'index.js', 'package.json']),
  whole('lacking-cjs', cjsPackage, ['sub', 'lib/missing.js']),
  whole('lacking-cjs-exports', cjsExportsPackage, ['internal.js', 'sub']),
  whole('@core/lacking', dualPackage, ['sub', 'index.mjs']),
  whole('lacking-subpath', subpathPackage, ['other', 'lib/sub.js']),
  odd('import-only', { exports: { import: './i.mjs' } }, { 'i.mjs': ESM }),
  odd('require-only', { exports: { require: './r.cjs' } }, { 'r.cjs': CJS }),
  odd('browser-only', { exports: { browser: './b.mjs' } }, { 'b.mjs': ESM }),
  odd('exports-null', { exports: { '.': null, './sub': null } }, { 'index.js': CJS }),
  odd('exports-empty', { exports: {} }, { 'index.js': CJS }),
];

/** Copies that are broken. */
export const brokenCopies: readonly CoreCopy[] = [
  {
    ...bare('empty-directory', {}),
    plant: (_sandbox, modules) => mkdirSync(join(modules, 'empty-directory'), { recursive: true }),
  },
  {
    ...bare('@core/empty', {}),
    plant: (_sandbox, modules) => mkdirSync(join(modules, '@core', 'empty'), { recursive: true }),
  },
  odd('no-main', {}),
  odd('main-missing', { main: './gone.js' }),
  odd('exports-missing', { exports: { '.': './gone.mjs', './sub': './gone-too.mjs' } }),
  odd('exports-outside', { exports: { '.': '../outside.js', './sub': 'bare' } }),
  odd('exports-mixed', { exports: { '.': './a.mjs', import: './a.mjs' } }, { 'a.mjs': ESM }),
  odd('manifest-unparsable', '{"name": "manifest-unparsable",', { 'index.js': CJS }),
  odd('manifest-empty', '', { 'index.js': CJS }),
  odd('manifest-null', 'null'),
  odd('manifest-array', '[]'),
  odd('manifest-text', '"text"'),
  bare('manifest-directory', { 'manifest-directory/package.json/file': '' }),
  odd('source-throws', { main: './main.js' }, { 'main.js': "throw new Error('from core');\n" }),
  odd('needs-absent', { main: './main.js' }, { 'main.js': "require('absent-everywhere');\n" }),
  bare('plain-file', { 'plain-file': CJS }),
  bare('file-js', { 'file-js.js': CJS }),
  bare('file-json', { 'file-json.json': '{"marker":"core"}' }),
  bare('file-node', { 'file-node.node': 'not a library' }),
  bare('@core/file', { '@core/file.js': CJS }),
  link('dangling-link', 'gone'),
  link('@core/dangling', '../gone'),
  link('link-loop', 'link-loop'),
  link('link-to-file', '../package.json'),
  link('link-to-device', '/dev/null'),
];
